// The same elements under another shape. Where its input has padding, that becomes 0: where the first axis is not time
// any more, nobody can tell it from data.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"

static int reshape_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                         char why[OP_WHY]) {
    const Shape *shape = &((const ReshapeParams *)params)->shape;
    if (inputs != 1 || shape_elements(&input[0]) != shape_elements(shape)) {
        char from[SHAPE_TEXT], to[SHAPE_TEXT];
        snprintf(why, OP_WHY, "%s and %s do not hold the same number of elements",
                 inputs < 1 ? "[]" : shape_text(&input[0], from), shape_text(shape, to));
        return ERR_INVALID;
    }
    *ret_output = *shape;
    return OK;
}

// Where the first axis stays, each step keeps its elements; alone, it would be read as features.
static int64_t reshape_length(const void *params, const Shape *input, int64_t length) {
    const Shape *shape = &((const ReshapeParams *)params)->shape;
    return shape->rank > 1 && shape->dim[0] == input->dim[0] ? length : -1;
}

static OpCost reshape_cost(const void *params, const OpExtent *extent, int inputs,
                           const Shape *input, const Shape *output) {
    (void)params;
    (void)extent;
    (void)inputs;
    (void)input;
    (void)output;
    return (OpCost){0};
}

// x [rows, time, …]
static void clear_padding(const OpCall *call, Real *x) {
    const Shape *shape = &call->input[0].shape;
    int64_t rows = shape->dim[0], time = shape->dim[1];
    size_t step = op_elements(&call->input[0]) / (size_t)(rows * time);
    for (int64_t r = 0; call->lengths != NULL && r < rows; r++) {
        int64_t length = call->lengths[r];
        memset(x + (size_t)(r * time + length) * step, 0,
               (size_t)(time - length) * step * sizeof(Real));
    }
}

static void reshape_forward(const OpCall *call) {
    if (call->output.data != call->input[0].data)
        memcpy(call->output.data, call->input[0].data, op_elements(&call->output) * sizeof(Real));
    clear_padding(call, call->output.data);
}

static void reshape_backward(const OpCall *call) {
    Real *dx = call->input_gradient[0].data;
    if (dx == NULL)
        return;
    if (dx != call->output_gradient.data)
        memcpy(dx, call->output_gradient.data, op_elements(&call->output) * sizeof(Real));
    clear_padding(call, dx);
}

const OpDesc op_reshape = {
    .name = "reshape",
    .reference = "y = x, seen as another shape",
    .in_place = true,
    .shape = reshape_shape,
    .length = reshape_length,
    .cost = reshape_cost,
    .forward = reshape_forward,
    .backward = reshape_backward,
};
