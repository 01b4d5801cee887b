// Graph attention: every node looks at itself and its neighbours with `heads` attentions of `units`
// numbers each, side by side (concat) or averaged.
//
//   h = x · kernel    then op_graph_attention on h, its bias and the activation
#include <math.h>
#include "core/base/error.h"
#include "core/layers/graph_probes.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct GatConvParams {
    int64_t units, heads;
    Selection activation;
    bool concat;
    double dropout, negative_slope;
} GatConvParams;

static const ParamSpec params[] = {
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(GatConvParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "outputs of each head at each node"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(GatConvParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
    {.name = "heads",
     .type = PARAM_INTEGER,
     .offset = offsetof(GatConvParams, heads),
     .default_number = 1,
     .minimum = 1,
     .maximum = GRAPH_ATTENTION_HEADS_MAX,
     .help = "attentions that run beside each other"},
    {.name = "concat",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(GatConvParams, concat),
     .default_number = 1,
     .help = "the heads' outputs side by side; false: their mean"},
    {.name = "dropout",
     .type = PARAM_NUMBER,
     .offset = offsetof(GatConvParams, dropout),
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of the attention that is dropped in training"},
    {.name = "negative_slope",
     .type = PARAM_NUMBER,
     .offset = offsetof(GatConvParams, negative_slope),
     .default_number = 0.2,
     .minimum = 0,
     .maximum = 1e3,
     .help = "of the leaky ReLU that the scores go through"},
};

// A score's vector leads from `units` numbers to one, the head's kernel from `in` to `units`.
static int declare(LayerBuild *build, const GatConvParams *conv, int64_t in, int *ret_kernel,
                   int ret_attention[3]) {
    static const char *const names[] = {"source_attention", "target_attention"};
    int64_t units = conv->units, width = conv->heads * units;
    Selection glorot = layer_kernel_init(build, (Selection){0}, (Selection){0});
    *ret_kernel = layer_weight(build, "kernel", SHAPE(in, width),
                               layer_kernel_init(build, (Selection){0}, conv->activation),
                               (double)in, (double)units, NAN, false);
    if (*ret_kernel < 0)
        return *ret_kernel;
    for (int i = 0; i < 2; i++) {
        ret_attention[i] = layer_weight(build, names[i], SHAPE(conv->heads, units), glorot,
                                        (double)units, 1, NAN, false);
        if (ret_attention[i] < 0)
            return ret_attention[i];
    }
    ret_attention[2] = layer_weight(build, "bias", SHAPE(conv->concat ? width : units),
                                    (Selection){0}, 0, 0, 0, false);
    return ret_attention[2] < 0 ? ret_attention[2] : OK;
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const GatConvParams *conv = layer_params;
    int kernel, attention[3];
    int error = declare(build, conv, shape_last(layer_shape(build, input[0])), &kernel, attention);
    if (error != OK)
        return error;
    GraphAttentionParams *params_of = arena_new(build->arena, GraphAttentionParams);
    if (params_of == NULL)
        return ERR_NO_MEMORY;
    *params_of = (GraphAttentionParams){.heads = conv->heads,
                                        .concat = conv->concat,
                                        .dropout = conv->dropout,
                                        .negative_slope = conv->negative_slope};
    int node = layer_linear(build, input[0], conv->heads * conv->units, kernel, -1);
    if (node < 0)
        return node;
    node = layer_append(build, &op_graph_attention, params_of, 1, &node, 3, attention);
    if (node < 0)
        return node;
    return layer_activate(build, conv->activation, node, ret_output);
}

const LayerDesc layer_gat_conv = {
    .desc = {.name = "gat_conv",
             .summary = "Every node weighs its neighbours, and itself, by learned attention.",
             .reference = "Velickovic et al. 2018: Graph Attention Networks",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(GatConvParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], " PROBE_GRAPH ", \"layers\": [{\"type\": \"gat_conv\", "
                     "\"units\": 3, \"activation\": \"elu\"}, {\"type\": \"gat_conv\", \"units\": "
                     "2, \"heads\": 3}]}",
                     "{\"input\": [3], " PROBE_GRAPH ", \"layers\": [{\"type\": \"gat_conv\", "
                     "\"units\": 4, \"heads\": 2, \"dropout\": 0.4, \"negative_slope\": 0.1}, "
                     "{\"type\": \"gat_conv\", \"units\": 2, \"heads\": 3, \"concat\": false, "
                     "\"dropout\": 0.2}]}",
                     "{\"input\": [2], " PROBE_GRAPHS ", "
                     "\"layers\": [{\"type\": \"gat_conv\", \"units\": 3, \"heads\": 2, "
                     "\"activation\": \"tanh\"}, {\"type\": \"gat_conv\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
