// The same elements under another shape.
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

static OpCost reshape_cost(const void *params, int64_t rows, int inputs, const Shape *input,
                           const Shape *output) {
    (void)params;
    (void)rows;
    (void)inputs;
    (void)input;
    (void)output;
    return (OpCost){0};
}

static void reshape_forward(const OpCall *call) {
    if (call->output.data != call->input[0].data)
        memcpy(call->output.data, call->input[0].data, op_elements(&call->output) * sizeof(Real));
}

static void reshape_backward(const OpCall *call) {
    Real *dx = call->input_gradient[0].data;
    if (dx != NULL && dx != call->output_gradient.data)
        memcpy(dx, call->output_gradient.data, op_elements(&call->output) * sizeof(Real));
}

const OpDesc op_reshape = {
    .name = "reshape",
    .reference = "y = x, seen as another shape",
    .in_place = true,
    .shape = reshape_shape,
    .cost = reshape_cost,
    .forward = reshape_forward,
    .backward = reshape_backward,
};
