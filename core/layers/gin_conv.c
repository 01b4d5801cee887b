// Graph isomorphism network: activation(((1 + epsilon) x_v + Σ x_u) · kernel + bias), the sum over the
// sources of v's edges, epsilon learned from 0.
//
// The paper's perceptron of several layers is this one with `dense` layers behind it. The product comes
// first where it makes the rows narrower.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/graph_probes.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct GinConvParams {
    int64_t units;
    Selection activation;
} GinConvParams;

static const ParamSpec params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(GinConvParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "outputs of each node"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(GinConvParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    static const AggregateParams aggregate = {AGGREGATE_SUM};
    (void)inputs;
    const GinConvParams *conv = layer_params;
    int64_t in = shape_last(layer_shape(build, input[0])), units = conv->units;
    int epsilon = layer_weight(build, "epsilon", SHAPE(1), (Selection){0}, 0, 0, 0, false);
    if (epsilon < 0)
        return epsilon;
    int kernel = layer_weight(build, "kernel", SHAPE(in, units),
                              layer_kernel_init(build, (Selection){0}, conv->activation),
                              (double)in, (double)units, NAN, false);
    if (kernel < 0)
        return kernel;
    int bias = layer_weight(build, "bias", SHAPE(units), (Selection){0}, 0, 0, 0, false);
    if (bias < 0)
        return bias;
    bool product_first = units < in;
    int node = product_first
                   ? layer_linear(build, input[0], units, kernel, -1)
                   : layer_append(build, &op_aggregate_sum, &aggregate, 1, input, 1, &epsilon);
    if (node < 0)
        return node;
    node = product_first ? layer_append(build, &op_aggregate_sum, &aggregate, 1, &node, 2,
                                        (const int[]){epsilon, bias})
                         : layer_linear(build, node, units, kernel, bias);
    if (node < 0)
        return node;
    return layer_activate(build, conv->activation, node, ret_output);
}

const LayerDesc layer_gin_conv = {
    .desc = {.name = "gin_conv",
             .summary = "Every node's features, weighed by a learned number, plus the sum of its "
                        "neighbours'.",
             .reference = "Xu et al. 2019: How Powerful are Graph Neural Networks?, eq. 4.1",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(GinConvParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], " PROBE_GRAPH ", \"layers\": [{\"type\": \"gin_conv\", "
                     "\"units\": 3, \"activation\": \"tanh\"}, {\"type\": \"gin_conv\", \"units\": "
                     "5}]}",
                     "{\"input\": [2], " PROBE_GRAPHS ", "
                     "\"layers\": [{\"type\": \"gin_conv\", \"units\": 3, \"activation\": "
                     "\"swish\"}, {\"type\": \"gin_conv\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
