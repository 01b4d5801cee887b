// Convolution of sequences [time, channels].
#include "core/layers/windows.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    return conv_build(build, layer_params, 1, input[0], ret_output);
}

const LayerDesc layer_conv1d = {
    .desc = {.name = "conv1d",
             .summary = "Slides small kernels over sequences [time, channels]; padded steps count "
                        "as 0.",
             .reference = "Waibel et al. 1989: Phoneme Recognition Using Time-Delay Neural "
                          "Networks; Kim 2014: Convolutional Neural Networks for Sentence "
                          "Classification",
             .params = conv_params,
             .param_count = CONV_PARAMS,
             .params_size = sizeof(ConvLayerParams),
             .probes =
                 (const char *const[]){
                     // valid; strides
                     "{\"input\": [7, 3], \"layers\": [{\"type\": \"conv1d\", \"filters\": 4, "
                     "\"kernel_size\": 3, \"activation\": \"tanh\"}, {\"type\": \"conv1d\", "
                     "\"filters\": 2, \"kernel_size\": 2, \"strides\": 2, \"use_bias\": false}]}",
                     // same, with an odd step behind; dilation
                     "{\"input\": [6, 2], \"layers\": [{\"type\": \"conv1d\", \"filters\": 3, "
                     "\"kernel_size\": 4, \"padding\": \"same\", \"activation\": \"tanh\"}, "
                     "{\"type\": \"conv1d\", \"filters\": 2, \"kernel_size\": 3, \"padding\": "
                     "\"same\", \"strides\": 2, \"dilation\": 2}]}",
                     // rows of different lengths
                     "{\"input\": [6, 2], \"lengths\": [6, 3, 0, 1], \"layers\": [{\"type\": "
                     "\"conv1d\", \"filters\": 3, \"kernel_size\": 3, \"activation\": \"tanh\"}, "
                     "{\"type\": \"conv1d\", \"filters\": 2, \"kernel_size\": 3, \"padding\": "
                     "\"same\", \"strides\": 2}]}",
                     "{\"input\": [5, 2], \"lengths\": [5, 2, 4], \"layers\": [{\"type\": "
                     "\"conv1d\", \"filters\": 2, \"kernel_size\": 3, \"groups\": 2, \"padding\": "
                     "\"same\"}, {\"type\": \"conv1d\", \"filters\": 2, \"kernel_size\": 1}]}",
                     // groups; depthwise
                     "{\"input\": [6, 4], \"layers\": [{\"type\": \"conv1d\", \"filters\": 6, "
                     "\"kernel_size\": 3, \"groups\": 2, \"activation\": \"tanh\"}, {\"type\": "
                     "\"conv1d\", \"filters\": 6, \"kernel_size\": 2, \"groups\": 6, \"padding\": "
                     "\"same\"}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
