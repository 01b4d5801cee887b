// The common part of the recurrent layers. Everything that does not depend on the cell stands here.
#include "core/layers/recurrent.h"
#include <math.h>
#include "core/base/error.h"

enum { WEIGHTS = 3, DIRECTIONS_MAX = 2 };

// Blocks of a weight [units, gates · units], each a square orthogonal matrix of its own.
static void fill_blocks(const InitCall *call, Real *weight) {
    const InitDesc *orthogonal = init_find("orthogonal");
    InitCall block = *call;
    block.columns = call->rows;
    for (size_t column = 0; column < call->columns; column += block.columns)
        orthogonal->fill(&block, weight + column);
}

static const InitDesc orthogonal_blocks = {.desc = {.name = "orthogonal"}, .fill = fill_blocks};

// One direction's weights: kernel, recurrent_kernel, bias.
static int declare(LayerBuild *build, const char *prefix, int64_t in, int64_t units,
                   const RecurrentWeights *weights, int weight[WEIGHTS]) {
    int64_t columns = weights->gates * units;
    const struct {
        const char *name;
        Shape shape;
        Selection init;
        int64_t fan_in;
    } of_direction[WEIGHTS] = {
        {"kernel", SHAPE(in, columns), {&init_find(weights->kernel_init)->desc, NULL}, in},
        {"recurrent_kernel", SHAPE(units, columns), {&orthogonal_blocks.desc, NULL}, units},
        {"bias",
         weights->biases == 1 ? SHAPE(columns) : SHAPE(weights->biases, columns),
         {(const Desc *)weights->bias_init, NULL},
         in},
    };
    for (int w = 0; w < WEIGHTS; w++) {
        const char *name = arena_format(build->arena, "%s%s", prefix, of_direction[w].name);
        if (name == NULL)
            return ERR_NO_MEMORY;
        weight[w] = layer_weight(build, name, of_direction[w].shape, of_direction[w].init,
                                 (double)of_direction[w].fan_in, (double)units, 0, false);
        if (weight[w] < 0)
            return weight[w];
    }
    return OK;
}

int recurrent_build(LayerBuild *build, const OpDesc *op, const RecurrentParams *params,
                    const RecurrentWeights *weights, const int *input, int *ret_output) {
    static const char *const prefixes[DIRECTIONS_MAX] = {"forward_", "backward_"};
    const Shape *shape = layer_shape(build, input[0]);
    Shape output;
    char why[OP_WHY];
    if (op->shape(params, 1, shape, &output, why) != OK)
        return layer_fail(build, NULL, "%s", why);
    int directions = params->bidirectional ? 2 : 1;
    int weight[DIRECTIONS_MAX * WEIGHTS];
    for (int d = 0; d < directions; d++) {
        int err = declare(build, params->bidirectional ? prefixes[d] : "", shape_last(shape),
                          params->units, weights, weight + d * WEIGHTS);
        if (err != OK)
            return err;
    }
    int node = layer_append(build, op, params, 1, input, directions * WEIGHTS, weight);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}
