// Inputs one after the other along an axis of the row.
//
// Seen from that axis a tensor is [outer, axis · inner]: the batch and the axes before it, and it
// with those behind. So row o of the output is row o of each input in turn, and the backward pass
// cuts it up again.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"

static int concat_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                        char why[OP_WHY]) {
    int axis = ((const ConcatParams *)params)->axis;
    if (inputs < 1 || axis < 0 || axis >= input[0].rank) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "there is no axis %d in rows of shape %s", axis,
                 inputs < 1 ? "[]" : shape_text(&input[0], text));
        return ERR_INVALID;
    }
    Shape output = input[0];
    for (int k = 1; k < inputs; k++) {
        bool fits = input[k].rank == output.rank;
        for (int d = 0; fits && d < output.rank; d++)
            fits = d == axis || input[k].dim[d] == output.dim[d];
        if (!fits) {
            char first[SHAPE_TEXT], other[SHAPE_TEXT];
            snprintf(why, OP_WHY,
                     "inputs that are joined along axis %d must agree in every other axis, not %s "
                     "and %s",
                     axis, shape_text(&input[0], first), shape_text(&input[k], other));
            return ERR_INVALID;
        }
        output.dim[axis] += input[k].dim[axis];
    }
    *ret_output = output;
    return OK;
}

static int64_t concat_length(const void *params, const Shape *input, int64_t length) {
    (void)input;
    return ((const ConcatParams *)params)->axis == 0 ? -1 : length;
}

static bool concat_carries(const void *params, const Shape *input, size_t *ret_bytes) {
    return ((const ConcatParams *)params)->axis > 0 && op_carries_nothing(params, input, ret_bytes);
}

static OpCost concat_cost(const void *params, const OpExtent *extent, int inputs,
                          const Shape *input, const Shape *output) {
    (void)params;
    (void)extent;
    (void)inputs;
    (void)input;
    (void)output;
    return (OpCost){0};
}

// Elements of one stretch: the axis and those behind it. `axis` counts without the batch.
static size_t stretch(const Tensor *tensor, int axis) {
    size_t elements = 1;
    for (int d = axis + 1; d < tensor->shape.rank; d++)
        elements *= (size_t)tensor->shape.dim[d];
    return elements;
}

static void concat_forward(const OpCall *call) {
    int axis = ((const ConcatParams *)call->params)->axis;
    size_t whole = stretch(&call->output, axis), outer = op_elements(&call->output) / whole;
    Real *y = call->output.data; // [outer, whole]
    for (int k = 0; k < call->inputs; k++) {
        size_t part = stretch(&call->input[k], axis);
        const Real *x = call->input[k].data; // [outer, part]
        for (size_t o = 0; o < outer; o++)
            memcpy(y + o * whole, x + o * part, part * sizeof(Real));
        y += part;
    }
}

static void concat_backward(const OpCall *call) {
    int axis = ((const ConcatParams *)call->params)->axis;
    size_t whole = stretch(&call->output, axis), outer = op_elements(&call->output) / whole;
    const Real *dy = call->output_gradient.data; // [outer, whole]
    for (int k = 0; k < call->inputs; k++) {
        size_t part = stretch(&call->input[k], axis);
        Real *dx = call->input_gradient[k].data; // [outer, part]
        for (size_t o = 0; dx != NULL && o < outer; o++)
            memcpy(dx + o * part, dy + o * whole, part * sizeof(Real));
        dy += part;
    }
}

const OpDesc op_concat = {
    .name = "concat",
    .reference = "y = the inputs one after the other",
    .shape = concat_shape,
    .length = concat_length,
    .carries = concat_carries,
    .cost = concat_cost,
    .forward = concat_forward,
    .backward = concat_backward,
};
