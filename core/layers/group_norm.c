// Group normalisation over all places of a row and the channels of each group.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static const ParamSpec params[] = {
    {.name = "groups",
     .type = PARAM_INTEGER,
     .offset = offsetof(GroupNormParams, groups),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help =
         "parts into which the channels fall; 1: all together; as many as channels: each alone"},
    {.name = "epsilon",
     .type = PARAM_NUMBER,
     .offset = offsetof(GroupNormParams, epsilon),
     .default_number = 1e-5,
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .help = "added to the variance"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    int64_t channels = shape_last(layer_shape(build, input[0]));
    if (channels % ((const GroupNormParams *)layer_params)->groups != 0)
        return layer_fail(build, "groups", "must divide the input's %lld channels",
                          (long long)channels);
    int gamma = layer_weight(build, "gamma", SHAPE(channels), (Selection){0}, 0, 0, 1, false);
    if (gamma < 0)
        return gamma;
    int beta = layer_weight(build, "beta", SHAPE(channels), (Selection){0}, 0, 0, 0, false);
    if (beta < 0)
        return beta;
    int node = layer_append(build, &op_group_norm, layer_params, inputs, input, 2,
                            (const int[]){gamma, beta});
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_group_norm = {
    .desc =
        {.name = "group_norm",
         .summary =
             "Gives each row's groups of channels mean 0 and variance 1 over all its places, "
             "then a learned scale and shift.",
         .reference = "Wu & He 2018: Group Normalization",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(GroupNormParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [3, 2, 3], \"layers\": [{\"type\": \"dense\", \"units\": 6}, "
                 "{\"type\": \"group_norm\", \"groups\": 3}, {\"type\": \"dense\", \"units\": 2}]}",
                 // one group; each channel alone
                 "{\"input\": [6], \"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": "
                 "\"group_norm\", \"groups\": 1, \"epsilon\": 0.01}, {\"type\": \"dense\", "
                 "\"units\": 2}]}",
                 "{\"input\": [4, 3], \"layers\": [{\"type\": \"group_norm\", \"groups\": 3}, "
                 "{\"type\": \"dense\", \"units\": 2}]}",
                 // rows of different lengths
                 "{\"input\": [4, 3], \"lengths\": [4, 2, 0, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 4}, {\"type\": \"group_norm\", \"groups\": 2}, {\"type\": "
                 "\"global_avg_pool\"}, {\"type\": \"dense\", \"units\": 2}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
