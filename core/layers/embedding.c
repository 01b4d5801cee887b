// A learned vector for each token of a vocabulary.
//
// It reads token ids, so only the model's input may stand before it, reshaped at most: refused
// behind anything that computes.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static const ParamSpec params[] = {
    {.name = "vocabulary",
     .type = PARAM_INTEGER,
     .offset = offsetof(EmbeddingParams, vocabulary),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 24,
     .help = "how many tokens there are: ids run from 0 to one less"},
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(EmbeddingParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "numbers in a token's vector"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    const EmbeddingParams *embedding = layer_params;
    const GraphNode *source = graph_node(build->graph, input[0]);
    while (source->op == &op_reshape)
        source = graph_node(build->graph, source->input[0]);
    if (source->op != NULL)
        return layer_fail(build, NULL,
                          "it reads token ids, which only the model's input has: put it first, or "
                          "give it \"inputs\": [\"input\"]");
    int weight = layer_weight(build, "embeddings", SHAPE(embedding->vocabulary, embedding->units),
                              layer_embedding_init(), (double)embedding->vocabulary,
                              (double)embedding->units, NAN, false);
    if (weight < 0)
        return weight;
    int node = layer_append(build, &op_embedding, embedding, inputs, input, 1, &weight);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_embedding = {
    .desc = {.name = "embedding",
             .summary = "Gives every token its own learned vector.",
             .reference = "Bengio et al. 2003: A Neural Probabilistic Language Model, section 2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(EmbeddingParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], \"vocabulary\": 6, \"layers\": [{\"type\": \"embedding\", "
                     "\"vocabulary\": 6, \"units\": 3}, {\"type\": \"dense\", \"units\": 2, "
                     "\"activation\": \"tanh\"}]}",
                     // Every id is beyond the table but 0 and 1.
                     "{\"input\": [3, 2], \"vocabulary\": 6, \"layers\": [{\"type\": \"flatten\"}, "
                     "{\"type\": \"embedding\", \"vocabulary\": 2, \"units\": 5}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
