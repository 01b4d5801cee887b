// Self-attention: each step of a sequence gathers what the others have, weighted by how well its
// query meets their keys, in several heads side by side.
#include "core/base/error.h"
#include "core/layers/parts.h"

typedef struct AttentionLayerParams {
    int64_t heads, units; // units 0: the input's width
    bool causal;
    double dropout;
} AttentionLayerParams;

static const ParamSpec params[] = {
    {.name = "heads",
     .type = PARAM_INTEGER,
     .offset = offsetof(AttentionLayerParams, heads),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 12,
     .help = "attentions side by side, each with its share of the units"},
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(AttentionLayerParams, units),
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "width of queries, keys and values, all heads together; the input's by default"},
    {.name = "causal",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(AttentionLayerParams, causal),
     .help = "no step sees later ones, as a language model needs"},
    {.name = "dropout",
     .type = PARAM_NUMBER,
     .offset = offsetof(AttentionLayerParams, dropout),
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of the attention probabilities dropped in training"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const AttentionLayerParams *given = layer_params;
    int64_t width = shape_last(layer_shape(build, input[0]));
    PartAttention attention = {.heads = given->heads,
                               .units = given->units > 0 ? given->units : width,
                               .causal = given->causal,
                               .dropout = given->dropout};
    int node = part_attention(build, "", &attention, input[0]);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

#define PROBE(before, options)                                                                     \
    "{\"input\": [4, 3], " before "\"layers\": [{\"type\": \"dense\", \"units\": 6}, {\"type\": "  \
    "\"multi_head_attention\", " options "}, {\"type\": \"dense\", \"units\": 2}]}"

const LayerDesc layer_multi_head_attention = {
    .desc = {.name = "multi_head_attention",
             .summary = "Each step gathers what the others have, weighted by how well they fit it.",
             .reference = "Vaswani et al. 2017: Attention Is All You Need, section 3.2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(AttentionLayerParams),
             .probes =
                 (const char *const[]){PROBE("", "\"heads\": 1"),
                                       PROBE("", "\"heads\": 2, \"units\": 4"),
                                       PROBE("", "\"heads\": 3, \"causal\": true"),
                                       PROBE("", "\"heads\": 2, \"dropout\": 0.4"),
                                       PROBE("\"lengths\": [4, 2, 0, 1], ", "\"heads\": 2"),
                                       PROBE("\"lengths\": [3, 4, 1], ",
                                             "\"heads\": 2, \"causal\": true, \"dropout\": 0.2"),
                                       NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
