// GraphSAGE: activation(x_v · self_kernel + a_v · neighbor_kernel + bias), a_v the mean or the greatest of
// the neighbours' features, 0 where there are none.
//
// A mean commutes with the product, which comes first where it makes the rows narrower.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/layers/graph_probes.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct SageConvParams {
    int64_t units;
    Selection activation;
    const char *aggregator;
} SageConvParams;

static const char *const aggregators[] = {"mean", "max", NULL};

static const ParamSpec params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(SageConvParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "outputs of each node"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(SageConvParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
    {.name = "aggregator",
     .type = PARAM_CHOICE,
     .offset = offsetof(SageConvParams, aggregator),
     .choices = aggregators,
     .help = "what is taken of the neighbours' features"},
};

// The neighbours' share.
static int build_neighbors(LayerBuild *build, const SageConvParams *conv, int input, int kernel) {
    static const AggregateParams mean = {AGGREGATE_MEAN};
    bool greatest = strcmp(conv->aggregator, "max") == 0;
    const OpDesc *op = greatest ? &op_neighbor_max : &op_aggregate;
    const AggregateParams *op_params = greatest ? NULL : &mean;
    bool product_first = !greatest && conv->units < shape_last(layer_shape(build, input));
    int node = product_first ? layer_linear(build, input, conv->units, kernel, -1)
                             : layer_append(build, op, op_params, 1, &input, 0, NULL);
    if (node < 0)
        return node;
    return product_first ? layer_append(build, op, op_params, 1, &node, 0, NULL)
                         : layer_linear(build, node, conv->units, kernel, -1);
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const SageConvParams *conv = layer_params;
    int64_t in = shape_last(layer_shape(build, input[0])), units = conv->units;
    static const char *const names[] = {"self_kernel", "neighbor_kernel"};
    Selection init = layer_kernel_init(build, (Selection){0}, conv->activation);
    int kernels[2];
    for (int i = 0; i < 2; i++) {
        kernels[i] = layer_weight(build, names[i], SHAPE(in, units), init, (double)in,
                                  (double)units, NAN, false);
        if (kernels[i] < 0)
            return kernels[i];
    }
    int bias = layer_weight(build, "bias", SHAPE(units), (Selection){0}, 0, 0, 0, false);
    if (bias < 0)
        return bias;
    int parts[2] = {build_neighbors(build, conv, input[0], kernels[1])};
    if (parts[0] < 0)
        return parts[0];
    parts[1] = layer_linear(build, input[0], units, kernels[0], bias);
    if (parts[1] < 0)
        return parts[1];
    int node = layer_append(build, &op_add, NULL, 2, parts, 0, NULL);
    if (node < 0)
        return node;
    return layer_activate(build, conv->activation, node, ret_output);
}

const LayerDesc layer_sage_conv = {
    .desc = {.name = "sage_conv",
             .summary = "Every node's own features and a summary of its neighbours', each with its "
                        "own kernel.",
             .reference = "Hamilton et al. 2017: Inductive Representation Learning on Large "
                          "Graphs, algorithm 1",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(SageConvParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], " PROBE_GRAPH ", \"layers\": [{\"type\": \"sage_conv\", "
                     "\"units\": 3, \"activation\": \"tanh\"}, {\"type\": \"sage_conv\", "
                     "\"units\": 5}]}",
                     "{\"input\": [3], " PROBE_GRAPH ", \"layers\": [{\"type\": \"dense\", "
                     "\"units\": 4}, {\"type\": \"sage_conv\", \"units\": 3, \"aggregator\": "
                     "\"max\", \"activation\": \"swish\"}, {\"type\": \"sage_conv\", \"units\": 2, "
                     "\"aggregator\": \"max\"}]}",
                     "{\"input\": [2], " PROBE_GRAPHS ", "
                     "\"layers\": [{\"type\": \"sage_conv\", \"units\": 3, \"activation\": "
                     "\"tanh\"}, {\"type\": \"sage_conv\", \"units\": 2, \"aggregator\": "
                     "\"max\"}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
