// Graph convolution: activation(D^-1/2 (A + I) D^-1/2 x · kernel + bias), D the number of edges that come
// into a node, itself included. On a directed graph numbers flow from source to target.
//
// The product comes first where it makes the rows narrower: the edges then carry less.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/graph_probes.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct GcnConvParams {
    int64_t units;
    Selection activation;
} GcnConvParams;

static const ParamSpec params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(GcnConvParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "outputs of each node"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(GcnConvParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    static const AggregateParams aggregate = {AGGREGATE_GCN};
    (void)inputs;
    const GcnConvParams *conv = layer_params;
    int64_t in = shape_last(layer_shape(build, input[0])), units = conv->units;
    int kernel = layer_weight(build, "kernel", SHAPE(in, units),
                              layer_kernel_init(build, (Selection){0}, conv->activation),
                              (double)in, (double)units, NAN, false);
    if (kernel < 0)
        return kernel;
    int bias = layer_weight(build, "bias", SHAPE(units), (Selection){0}, 0, 0, 0, false);
    if (bias < 0)
        return bias;
    bool product_first = units < in;
    int node = product_first ? layer_linear(build, input[0], units, kernel, -1)
                             : layer_append(build, &op_aggregate, &aggregate, 1, input, 0, NULL);
    if (node < 0)
        return node;
    node = product_first ? layer_append(build, &op_aggregate, &aggregate, 1, &node, 1, &bias)
                         : layer_linear(build, node, units, kernel, bias);
    if (node < 0)
        return node;
    return layer_activate(build, conv->activation, node, ret_output);
}

const LayerDesc layer_gcn_conv = {
    .desc = {.name = "gcn_conv",
             .summary = "Every node mixes its features with its neighbours', weighed by how many "
                        "each has.",
             .reference = "Kipf & Welling 2017: Semi-Supervised Classification with Graph "
                          "Convolutional Networks, eq. 2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(GcnConvParams),
             .probes =
                 (const char *const[]){
                     // The product first, then last.
                     "{\"input\": [4], " PROBE_GRAPH ", \"layers\": [{\"type\": \"gcn_conv\", "
                     "\"units\": 3, \"activation\": \"tanh\"}, {\"type\": \"gcn_conv\", \"units\": "
                     "5}]}",
                     "{\"input\": [2], " PROBE_GRAPHS ", "
                     "\"layers\": [{\"type\": \"gcn_conv\", \"units\": 3, \"activation\": "
                     "\"swish\"}, {\"type\": \"gcn_conv\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
