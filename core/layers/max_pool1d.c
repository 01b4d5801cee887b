// The greatest of each channel in windows of sequences.
#include "core/layers/windows.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    return pool_build(build, layer_params, 1, &op_max_pool, input[0], ret_output);
}

const LayerDesc layer_max_pool1d = {
    .desc =
        {.name = "max_pool1d",
         .summary = "The greatest of each channel in every window of sequences [time, channels].",
         .reference = "LeCun et al. 1998; Ranzato et al. 2007: Unsupervised Learning of Invariant "
                      "Feature Hierarchies",
         .params = pool_params,
         .param_count = POOL_PARAMS,
         .params_size = sizeof(PoolLayerParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [6, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"max_pool1d\"}, {\"type\": \"dense\", "
                 "\"units\": 2}]}",
                 // windows that overlap; the last one reaches out
                 "{\"input\": [7, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"max_pool1d\", \"pool_size\": 3, "
                 "\"strides\": 2, \"padding\": \"same\"}, {\"type\": \"dense\", \"units\": 2}]}",
                 // windows apart
                 "{\"input\": [8, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"max_pool1d\", \"pool_size\": 2, "
                 "\"strides\": 3}]}",
                 // rows of different lengths
                 "{\"input\": [7, 2], \"lengths\": [7, 4, 0, 1, 3], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3, \"activation\": \"tanh\"}, {\"type\": \"max_pool1d\", "
                 "\"pool_size\": 3, \"strides\": 2}, {\"type\": \"max_pool1d\", \"pool_size\": 2, "
                 "\"padding\": \"same\"}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
