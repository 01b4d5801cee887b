// output = F(x) + x, F a list of layers.
//
// Where F changes the width, the skip goes through a linear projection x · projection.kernel [in,
// out] without bias. Where F changes another axis, no projection fits and the layer is refused.
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

// Whether only the last axis differs.
static bool is_projectable(const Shape *from, const Shape *to) {
    bool same = from->rank == to->rank && from->rank >= 1;
    for (int d = 0; same && d + 1 < from->rank; d++)
        same = from->dim[d] == to->dim[d];
    return same;
}

static int project(LayerBuild *build, int input, const Shape *to, int *ret_node) {
    const Shape *from = layer_shape(build, input);
    if (!is_projectable(from, to)) {
        char in[SHAPE_TEXT], out[SHAPE_TEXT];
        return layer_fail(build, "layers",
                          "they turn %s into %s; only the last axis may change beside a skip",
                          shape_text(from, in), shape_text(to, out));
    }
    int64_t in = shape_last(from), out = shape_last(to);
    int kernel = layer_weight(build, "projection.kernel", SHAPE(in, out),
                              layer_kernel_init(build, (Selection){0}, (Selection){0}), (double)in,
                              (double)out, NAN, false);
    if (kernel < 0)
        return kernel;
    int node = layer_linear(build, input, out, kernel, -1);
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
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
