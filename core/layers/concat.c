// Layers side by side along one axis.
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct ConcatLayerParams {
    int64_t axis;
} ConcatLayerParams;

static const ParamSpec params[] = {
    {.name = "axis",
     .type = PARAM_INTEGER,
     .offset = offsetof(ConcatLayerParams, axis),
     .default_number = -1,
     .minimum = -SHAPE_RANK_MAX,
     .maximum = SHAPE_RANK_MAX - 1,
     .help = "axis of a row, from 0, or from the end: -1 is the last"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    int64_t axis = ((const ConcatLayerParams *)layer_params)->axis;
    const Shape *shape = layer_shape(build, input[0]);
    if (axis >= shape->rank || axis < -shape->rank) {
        char text[SHAPE_TEXT];
        return layer_fail(build, "axis", "must be an axis of %s, from %d to %d",
                          shape_text(shape, text), -shape->rank, shape->rank - 1);
    }
    axis = axis < 0 ? axis + shape->rank : axis;
    for (int i = 0; axis == 0 && i < inputs; i++)
        if (graph_node(build->graph, input[i])->lengths != LENGTHS_NONE)
            return layer_fail(build, "axis",
                              "rows of different lengths cannot be joined along time: a pool, or a "
                              "recurrent layer without return_sequences, makes one of each row");
    ConcatParams *concat = arena_new(build->arena, ConcatParams);
    if (concat == NULL)
        return ERR_NO_MEMORY;
    concat->axis = (int)axis;
    int node = layer_append(build, &op_concat, concat, inputs, input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_concat = {
    .desc =
        {.name = "concat",
         .summary = "Several layers one after the other along an axis.",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(ConcatLayerParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [4], \"layers\": [{\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"a\", \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 2, "
                 "\"name\": \"b\", \"inputs\": [\"input\"]}, {\"type\": \"concat\", "
                 "\"inputs\": [\"a\", \"b\", \"input\"]}, {\"type\": \"dense\", \"units\": 2}]}",
                 "{\"input\": [2, 3], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"name\": \"a\"}, {\"type\": \"concat\", \"axis\": 0, \"inputs\": [\"a\", "
                 "\"input\"]}, {\"type\": \"dense\", \"units\": 2}]}",
                 "{\"input\": [2, 2, 3], \"layers\": [{\"type\": \"dense\", \"units\": 3, "
                 "\"name\": \"a\"}, {\"type\": \"concat\", \"axis\": -2, \"inputs\": [\"a\", "
                 "\"input\", \"a\"]}, {\"type\": \"flatten\"}, {\"type\": \"dense\", \"units\": "
                 "2}]}",
                 NULL}},
    .min_inputs = 2,
    .max_inputs = OP_INPUTS_MAX,
    .build = build,
};
