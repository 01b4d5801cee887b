// Convolution of images [height, width, channels].
#include "core/layers/windows.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    return conv_build(build, layer_params, 2, input[0], ret_output);
}

const LayerDesc layer_conv2d = {
    .desc = {.name = "conv2d",
             .summary = "Slides small kernels over images [height, width, channels].",
             .reference = "LeCun et al. 1989: Backpropagation Applied to Handwritten Zip Code "
                          "Recognition; Dumoulin & Visin 2016: A guide to convolution arithmetic",
             .params = conv_params,
             .param_count = CONV_PARAMS,
             .params_size = sizeof(ConvLayerParams),
             .probes =
                 (const char *const[]){
                     // valid
                     "{\"input\": [5, 4, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": 3, \"activation\": \"tanh\"}, {\"type\": \"conv2d\", "
                     "\"filters\": 2, \"kernel_size\": [2, 1]}]}",
                     // same, with an odd pixel behind
                     "{\"input\": [4, 5, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": [2, 4], \"padding\": \"same\", \"activation\": \"tanh\"}, "
                     "{\"type\": \"conv2d\", \"filters\": 2, \"kernel_size\": 3, \"padding\": "
                     "\"same\", \"use_bias\": false}]}",
                     // strides
                     "{\"input\": [6, 7, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": 3, \"strides\": [2, 3], \"padding\": \"same\", "
                     "\"activation\": \"tanh\"}, {\"type\": \"conv2d\", \"filters\": 2, "
                     "\"kernel_size\": 2, \"strides\": 2}]}",
                     // dilation
                     "{\"input\": [7, 6, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": 3, \"dilation\": 2, \"padding\": \"same\", "
                     "\"activation\": \"tanh\"}, {\"type\": \"conv2d\", \"filters\": 2, "
                     "\"kernel_size\": 3, \"dilation\": [3, 2]}]}",
                     // groups; depthwise; depthwise with a multiplier
                     "{\"input\": [4, 4, 4], \"layers\": [{\"type\": \"conv2d\", \"filters\": 6, "
                     "\"kernel_size\": 2, \"groups\": 2, \"dilation\": 2, \"activation\": "
                     "\"tanh\"}, {\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": 1, "
                     "\"groups\": 3}]}",
                     "{\"input\": [5, 4, 3], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": 3, \"groups\": 3, \"padding\": \"same\", \"activation\": "
                     "\"tanh\"}, {\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": [2, 3], "
                     "\"groups\": 3, \"strides\": 2, \"use_bias\": false}, {\"type\": \"conv2d\", "
                     "\"filters\": 6, \"kernel_size\": 1, \"groups\": 3}]}",
                     // 1 × 1, with a stride and without
                     "{\"input\": [3, 4, 2], \"layers\": [{\"type\": \"conv2d\", \"filters\": 3, "
                     "\"kernel_size\": 1, \"activation\": \"tanh\"}, {\"type\": \"conv2d\", "
                     "\"filters\": 2, \"kernel_size\": 1, \"strides\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
