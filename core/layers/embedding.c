// A learned vector for each token of a vocabulary.
//
// It reads token ids, so only the model's input may stand before it, reshaped at most: refused
// behind anything that computes.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct EmbeddingLayerParams {
    int64_t vocabulary; // 0: the dataset's
    int64_t units;
} EmbeddingLayerParams;

static const ParamSpec params[] = {
    {.name = "vocabulary",
     .type = PARAM_INTEGER,
     .offset = offsetof(EmbeddingLayerParams, vocabulary),
     .minimum = 1,
     .maximum = 1 << 24,
     .help = "how many tokens there are, with ids from 0 to one less; the dataset's by default"},
    {.name = "units",
     .type = PARAM_INTEGER,
     .offset = offsetof(EmbeddingLayerParams, units),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "numbers in a token's vector"},
};

// As given, or the dataset's; negative where neither says, or the dataset says more.
static int64_t choose_vocabulary(LayerBuild *build, int64_t given) {
    int64_t known = build->vocabulary;
    if (given == 0 && known == 0)
        return layer_fail(build, "vocabulary",
                          "is missing: the dataset has numbers, not tokens that could be counted");
    if (given != 0 && given < known)
        return layer_fail(build, "vocabulary",
                          "must be at least %lld, as many tokens as the dataset has; left out, it "
                          "is the dataset's",
                          (long long)known);
    return given != 0 ? given : known;
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    const EmbeddingLayerParams *given = layer_params;
    const GraphNode *source = graph_node(build->graph, input[0]);
    while (source->op == &op_reshape)
        source = graph_node(build->graph, source->input[0]);
    if (source->op != NULL)
        return layer_fail(build, NULL,
                          "it reads token ids, which only the model's input has: put it first, or "
                          "give it \"inputs\": [\"input\"]");
    int64_t vocabulary = choose_vocabulary(build, given->vocabulary);
    if (vocabulary < 0)
        return (int)vocabulary;
    int weight =
        layer_weight(build, "embeddings", SHAPE(vocabulary, given->units), layer_embedding_init(),
                     (double)vocabulary, (double)given->units, NAN, false);
    if (weight < 0)
        return weight;
    EmbeddingParams *embedding = arena_new(build->arena, EmbeddingParams);
    if (embedding == NULL)
        return ERR_NO_MEMORY;
    embedding->units = given->units;
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
             .params_size = sizeof(EmbeddingLayerParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], \"vocabulary\": 6, \"layers\": [{\"type\": \"embedding\", "
                     "\"vocabulary\": 6, \"units\": 3}, {\"type\": \"dense\", \"units\": 2, "
                     "\"activation\": \"tanh\"}]}",
                     "{\"input\": [3, 2], \"vocabulary\": 3, \"layers\": [{\"type\": \"flatten\"}, "
                     "{\"type\": \"embedding\", \"vocabulary\": 3, \"units\": 5}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
