// Root mean square normalisation over the last axis.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static const ParamSpec params[] = {
    {.name = "epsilon",
     .type = PARAM_NUMBER,
     .offset = offsetof(RmsNormParams, epsilon),
     .default_number = 1e-5,
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .help = "added to the mean of the squares"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    Shape width = SHAPE(shape_last(layer_shape(build, input[0])));
    int gamma = layer_weight(build, "gamma", width, (Selection){0}, 0, 0, 1, false);
    if (gamma < 0)
        return gamma;
    int node = layer_append(build, &op_rms_norm, layer_params, inputs, input, 1, &gamma);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_rms_norm = {
    .desc = {.name = "rms_norm",
             .summary =
                 "Gives each row (or step) a mean square of 1 over its features, then a learned "
                 "scale.",
             .reference = "Zhang & Sennrich 2019: Root Mean Square Layer Normalization",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(RmsNormParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [5], \"layers\": [{\"type\": \"dense\", \"units\": 11}, "
                     "{\"type\": \"rms_norm\"}, {\"type\": \"dense\", \"units\": 3}]}",
                     "{\"input\": [3, 4], \"layers\": [{\"type\": \"rms_norm\", \"epsilon\": "
                     "0.01}, {\"type\": \"dense\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
