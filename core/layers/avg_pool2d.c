// The mean of each channel in windows of images.
#include "core/layers/windows.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    return pool_build(build, layer_params, 2, &op_avg_pool, input[0], ret_output);
}

const LayerDesc layer_avg_pool2d = {
    .desc =
        {.name = "avg_pool2d",
         .summary = "The mean of each channel in every window of images [height, width, channels].",
         .reference = "LeCun et al. 1998: Gradient-Based Learning Applied to Document Recognition",
         .params = pool_params,
         .param_count = POOL_PARAMS,
         .params_size = sizeof(PoolLayerParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [4, 6, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"avg_pool2d\"}, {\"type\": \"dense\", "
                 "\"units\": 2}]}",
                 // windows that overlap; the last ones reach out
                 "{\"input\": [5, 6, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"avg_pool2d\", \"pool_size\": 3, "
                 "\"strides\": 2, \"padding\": \"same\"}, {\"type\": \"dense\", \"units\": 2}]}",
                 // windows apart
                 "{\"input\": [7, 6, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"activation\": \"tanh\"}, {\"type\": \"avg_pool2d\", \"pool_size\": [3, 2], "
                 "\"strides\": [2, 3]}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
