// A row's elements as one axis.
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)layer_params;
    ReshapeParams *reshape = arena_new(build->arena, ReshapeParams);
    if (reshape == NULL)
        return ERR_NO_MEMORY;
    reshape->shape = SHAPE(shape_elements(layer_shape(build, input[0])));
    int node = layer_append(build, &op_reshape, reshape, inputs, input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_flatten = {
    .desc = {.name = "flatten",
             .summary = "The elements of a row as one list.",
             .probes = (const char *const[]){"{\"input\": [2, 3], \"layers\": [{\"type\": "
                                             "\"dense\", \"units\": 4}, {\"type\": \"flatten\"}, "
                                             "{\"type\": \"dense\", \"units\": 3}]}",
                                             NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
