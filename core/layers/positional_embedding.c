// Tells a sequence's steps apart: adds to each step's vector one that stands for its place.
//
//   learned:     p = embeddings [time, units]
//   sinusoidal:  p[t, 2i] = sin(t / 10000^(2i / units)), p[t, 2i + 1] = cos of the same
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct PositionalEmbeddingParams {
    const char *kind;
} PositionalEmbeddingParams;

static const char *const kinds[] = {"learned", "sinusoidal", NULL};

static const ParamSpec params[] = {
    {.name = "kind",
     .type = PARAM_CHOICE,
     .offset = offsetof(PositionalEmbeddingParams, kind),
     .choices = kinds,
     .help = "learned with the other weights, or fixed waves"},
};

// [time, units]; NULL without memory.
static const Real *sinusoids(Arena *arena, int64_t time, int64_t units) {
    Real *table = arena_array(arena, (size_t)(time * units), sizeof(Real));
    for (int64_t t = 0; table != NULL && t < time; t++)
        for (int64_t c = 0; c < units; c++) {
            double angle = (double)t / pow(10000, (double)(c - c % 2) / (double)units);
            table[t * units + c] = (Real)(c % 2 == 0 ? sin(angle) : cos(angle));
        }
    return table;
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    const PositionalEmbeddingParams *positional = layer_params;
    Shape shape = *layer_shape(build, input[0]);
    if (shape.rank != 2) {
        char text[SHAPE_TEXT];
        return layer_fail(build, NULL,
                          "it adds to [time, units], not to %s; put it behind an embedding or "
                          "another layer that gives a vector for each step",
                          shape_text(&shape, text));
    }
    AddPositionsParams *added = arena_new(build->arena, AddPositionsParams);
    if (added == NULL)
        return ERR_NO_MEMORY;
    int weight = -1;
    bool learned = strcmp(positional->kind, "learned") == 0;
    if (learned) {
        weight = layer_weight(build, "embeddings", shape, layer_embedding_init(),
                              (double)shape.dim[0], (double)shape.dim[1], NAN, false);
        if (weight < 0)
            return weight;
    } else {
        added->table = sinusoids(build->arena, shape.dim[0], shape.dim[1]);
        if (added->table == NULL)
            return ERR_NO_MEMORY;
    }
    int node = layer_append(build, &op_add_positions, added, inputs, input, learned, &weight);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_positional_embedding = {
    .desc = {.name = "positional_embedding",
             .summary = "Adds a vector for each step's place, learned or of sines and cosines.",
             .reference = "Vaswani et al. 2017: Attention Is All You Need, section 3.5",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(PositionalEmbeddingParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [3, 4], \"layers\": [{\"type\": \"positional_embedding\"}, "
                     "{\"type\": \"dense\", \"units\": 2, \"activation\": \"tanh\"}]}",
                     "{\"input\": [4, 3], \"layers\": [{\"type\": \"dense\", \"units\": 5}, "
                     "{\"type\": \"positional_embedding\", \"kind\": \"sinusoidal\"}, {\"type\": "
                     "\"dense\", \"units\": 2, \"activation\": \"tanh\"}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
