// output = F(x) + x, F a list of layers.
//
// Where F changes the shape, the skip goes through a linear projection x · projection.kernel [in,
// out] without bias, at every stride-th place: stride = ⌈in / out⌉ for each axis before the channels
// (of [time, channels] and [height, width, channels]). Where that gives another number of places
// than F does, no projection fits and the layer is refused.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

typedef struct ResidualParams {
    Value layers;
} ResidualParams;

static const ParamSpec params[] = {
    {.name = "layers",
     .type = PARAM_VALUE,
     .offset = offsetof(ResidualParams, layers),
     .required = true,
     .help = "the layers of F, run in order"},
};

// The strides that make the places of `from` as many as those of `to`; false where none do.
static bool find_strides(const Shape *from, const Shape *to, int64_t strides[SHAPE_RANK_MAX]) {
    if (from->rank != to->rank || from->rank < 1)
        return false;
    for (int d = 0; d + 1 < from->rank; d++) {
        int64_t in = from->dim[d], out = to->dim[d];
        strides[d] = (in + out - 1) / out;
        if ((in + strides[d] - 1) / strides[d] != out)
            return false;
    }
    return true;
}

static bool is_strided(const int64_t *strides, int axes) {
    for (int d = 0; d < axes; d++)
        if (strides[d] > 1)
            return true;
    return false;
}

// A product at each place, or, over one or two axes of places, at every so many of them.
static int append_projection(LayerBuild *build, int input, int kernel, const int64_t *strides,
                             int64_t out) {
    int axes = layer_shape(build, input)->rank - 1;
    if (!is_strided(strides, axes))
        return layer_linear(build, input, out, kernel, -1);
    ConvParams *conv = arena_new(build->arena, ConvParams);
    if (conv == NULL)
        return ERR_NO_MEMORY;
    *conv = (ConvParams){.window = {.axes = axes,
                                    .same = true,
                                    .size = {1, 1},
                                    .stride = {axes == 2 ? strides[0] : 1, strides[axes - 1]},
                                    .dilation = {1, 1}},
                         .filters = out,
                         .groups = 1};
    return layer_append(build, &op_conv, conv, 1, &input, 1, &kernel);
}

static int project(LayerBuild *build, int input, const Shape *to, int *ret_node) {
    const Shape *from = layer_shape(build, input);
    int64_t strides[SHAPE_RANK_MAX];
    if (!find_strides(from, to, strides) ||
        (is_strided(strides, from->rank - 1) && from->rank > 3)) {
        char in[SHAPE_TEXT], out[SHAPE_TEXT];
        return layer_fail(build, "layers",
                          "they turn %s into %s; beside a skip the last axis may change, and the "
                          "places before it by a stride: ceil(in / stride) of them",
                          shape_text(from, in), shape_text(to, out));
    }
    int64_t in = shape_last(from), out = shape_last(to);
    int kernel = layer_weight(build, "projection.kernel", SHAPE(in, out),
                              layer_kernel_init(build, (Selection){0}, (Selection){0}), (double)in,
                              (double)out, NAN, false);
    if (kernel < 0)
        return kernel;
    int node = append_projection(build, input, kernel, strides, out);
    if (node < 0)
        return node;
    *ret_node = node;
    return OK;
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const ResidualParams *residual = layer_params;
    if (value_kind(residual->layers) != VALUE_ARRAY || value_length(residual->layers) == 0)
        return layer_fail(build, "layers", "must be a list of at least one layer");
    int inner, skip = input[0];
    int err = build->build_nested(build, residual->layers, PATH_KEY(build->path, "layers"),
                                  input[0], &inner);
    if (err != OK)
        return err;
    Shape shape = *layer_shape(build, inner);
    if (!shape_equal(layer_shape(build, skip), &shape)) {
        err = project(build, input[0], &shape, &skip);
        if (err != OK)
            return err;
    }
    int node = layer_append(build, &op_add, NULL, 2, (const int[]){inner, skip}, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_residual = {
    .desc = {.name = "residual",
             .summary = "What its layers make of the input, plus the input itself.",
             .reference = "He et al. 2016: Deep Residual Learning, eq. 1 and 2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ResidualParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [4], \"layers\": [{\"type\": \"residual\", \"layers\": "
                     "[{\"type\": \"dense\", \"units\": 4, \"activation\": \"tanh\"}]}]}",
                     "{\"input\": [4], \"layers\": [{\"type\": \"residual\", \"layers\": "
                     "[{\"type\": \"dense\", \"units\": 5, \"activation\": \"tanh\"}, {\"type\": "
                     "\"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 3}]}]}]}",
                     // places fewer by a stride, of images and of sequences
                     "{\"input\": [5, 4, 2], \"layers\": [{\"type\": \"residual\", \"layers\": "
                     "[{\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": 3, \"strides\": 2, "
                     "\"padding\": \"same\", \"activation\": \"tanh\"}, {\"type\": \"conv2d\", "
                     "\"filters\": 3, \"kernel_size\": 3, \"strides\": 1, \"padding\": "
                     "\"same\"}]}, {\"type\": \"dense\", \"units\": 2}]}",
                     "{\"input\": [5, 4, 2], \"layers\": [{\"type\": \"residual\", \"layers\": "
                     "[{\"type\": \"conv2d\", \"filters\": 2, \"kernel_size\": 3, \"strides\": [2, "
                     "1], \"padding\": \"same\"}]}]}",
                     "{\"input\": [7, 2], \"layers\": [{\"type\": \"residual\", \"layers\": "
                     "[{\"type\": \"conv1d\", \"filters\": 4, \"kernel_size\": 3, \"strides\": 3, "
                     "\"padding\": \"same\", \"activation\": \"tanh\"}]}, {\"type\": \"dense\", "
                     "\"units\": 2}]}",
                     "{\"input\": [5, 2], \"lengths\": [5, 2, 0, 3], \"layers\": [{\"type\": "
                     "\"residual\", \"layers\": [{\"type\": \"conv1d\", \"filters\": 3, "
                     "\"kernel_size\": 2, \"strides\": 2, \"padding\": \"same\"}]}, {\"type\": "
                     "\"global_avg_pool\"}, {\"type\": \"dense\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
