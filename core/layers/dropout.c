// Inverted dropout: in training a share of the elements is set to 0 and the rest scaled up.
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static const ParamSpec params[] = {
    {.name = "rate",
     .type = PARAM_NUMBER,
     .offset = offsetof(DropoutParams, rate),
     .required = true,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of the elements that are dropped"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    int node = layer_append(build, &op_dropout, layer_params, inputs, input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_dropout = {
    .desc = {.name = "dropout",
             .summary = "Drops a share of its input at random in training, against overfitting.",
             .reference = "Srivastava et al. 2014: Dropout",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(DropoutParams),
             .probes = (const char *const[]){"{\"input\": [6], \"layers\": [{\"type\": \"dense\", "
                                             "\"units\": 8}, {\"type\": \"dropout\", \"rate\": "
                                             "0.4}, {\"type\": \"dense\", \"units\": 3}]}",
                                             NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
