// A fully connected layer: activation(x · kernel + bias), on the last axis.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct DenseParams {
    int64_t units;
    Selection activation, kernel_init, bias_init;
    bool use_bias;
} DenseParams;

static const ParamSpec params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(DenseParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "outputs at each place"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(DenseParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
    {.name = "use_bias",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(DenseParams, use_bias),
     .default_number = 1,
     .help = "add a learned number to each output"},
    {.name = "kernel_init",
     .type = PARAM_ENTRY,
     .offset = offsetof(DenseParams, kernel_init),
     .registry = &init_registry,
     .help = "how the kernel starts; by default he_normal before the ReLU family, GELU and Swish, "
             "else glorot_uniform"},
    {.name = "bias_init",
     .type = PARAM_ENTRY,
     .offset = offsetof(DenseParams, bias_init),
     .default_text = "zeros",
     .registry = &init_registry,
     .help = "how the bias starts"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const DenseParams *dense = layer_params;
    const Shape *shape = layer_shape(build, input[0]);
    if (shape->rank < 1)
        return layer_fail(build, NULL, "it needs an input with at least one axis");
    int64_t in = shape_last(shape), units = dense->units;
    double fan_in = (double)in, fan_out = (double)units;
    int bias = -1;
    int kernel = layer_weight(build, "kernel", SHAPE(in, units),
                              layer_kernel_init(build, dense->kernel_init, dense->activation),
                              fan_in, fan_out, NAN, false);
    if (kernel < 0)
        return kernel;
    if (dense->use_bias) {
        bias =
            layer_weight(build, "bias", SHAPE(units), dense->bias_init, fan_in, fan_out, 0, false);
        if (bias < 0)
            return bias;
    }
    int node = layer_linear(build, input[0], units, kernel, bias);
    if (node < 0)
        return node;
    return layer_activate(build, dense->activation, node, ret_output);
}

const LayerDesc layer_dense = {
    .desc = {.name = "dense",
             .summary = "Every output is a weighted sum of all inputs; on [time, features] at each "
                        "step.",
             .reference = "Goodfellow, Bengio, Courville: Deep Learning (2016), section 6",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(DenseParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [5], \"layers\": [{\"type\": \"dense\", \"units\": 4, "
                     "\"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 3}]}",
                     "{\"input\": [4, 3], \"layers\": [{\"type\": \"dense\", \"units\": 5, "
                     "\"use_bias\": false, \"activation\": {\"type\": \"elu\", \"alpha\": 0.7}}, "
                     "{\"type\": \"dense\", \"units\": 2, \"kernel_init\": \"orthogonal\", "
                     "\"bias_init\": \"ones\"}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
