// A row's elements, in their order, under another shape.
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct ReshapeLayerParams {
    IntegerList shape;
} ReshapeLayerParams;

static const ParamSpec params[] = {
    {.name = "shape",
     .type = PARAM_INTEGERS,
     .offset = offsetof(ReshapeLayerParams, shape),
     .required = true,
     .minimum = 1,
     .maximum = 1e9,
     .help = "the new shape of a row: as many elements in all"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    const IntegerList *list = &((const ReshapeLayerParams *)layer_params)->shape;
    const Shape *from = layer_shape(build, input[0]);
    if (list->count > SHAPE_RANK_MAX - 1)
        return layer_fail(build, "shape", "must have 1 to %d axes, not %zu", SHAPE_RANK_MAX - 1,
                          list->count);
    ReshapeParams *reshape = arena_new(build->arena, ReshapeParams);
    if (reshape == NULL)
        return ERR_NO_MEMORY;
    reshape->shape.rank = (int)list->count;
    for (size_t i = 0; i < list->count; i++)
        reshape->shape.dim[i] = list->items[i];
    int64_t wanted = shape_elements(from), given = shape_elements(&reshape->shape);
    if (given != wanted) {
        char to[SHAPE_TEXT], text[SHAPE_TEXT];
        return layer_fail(build, "shape", "%s does not hold the %lld elements of its input %s",
                          shape_text(&reshape->shape, to), (long long)wanted,
                          shape_text(from, text));
    }
    int node = layer_append(build, &op_reshape, reshape, inputs, input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_reshape = {
    .desc =
        {.name = "reshape",
         .summary = "The elements of a row under another shape.",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(ReshapeLayerParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [2, 6], \"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": "
                 "\"reshape\", \"shape\": [2, 2, 2]}, {\"type\": \"dense\", \"units\": 3}]}",
                 // time stays, and its padding; or goes
                 "{\"input\": [3, 2], \"lengths\": [3, 1, 0], \"layers\": [{\"type\": \"dense\", "
                 "\"units\": 4}, {\"type\": \"reshape\", \"shape\": [3, 2, 2]}, {\"type\": "
                 "\"batch_norm\"}, {\"type\": \"reshape\", \"shape\": [12]}, {\"type\": \"dense\", "
                 "\"units\": 2}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
