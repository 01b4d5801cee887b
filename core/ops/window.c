// The geometry of sliding windows. Refuses a window that is longer than what it slides over, where
// nothing is padded.
#include "core/ops/window.h"
#include <stdio.h>
#include "core/base/error.h"

static int64_t reach_of(const Window *window, int axis) {
    return window->dilation[axis] * (window->size[axis] - 1) + 1;
}

// Inputs along an axis of a row.
static int64_t inputs_of(const Window *window, const Shape *row, int axis) {
    return window->axes == 2 ? row->dim[axis] : axis == 1 ? row->dim[0] : 1;
}

static int64_t outputs_of(const Window *window, int axis, int64_t inputs) {
    int64_t stride = window->stride[axis];
    if (window->same)
        return (inputs + stride - 1) / stride;
    return (inputs - reach_of(window, axis)) / stride + 1;
}

int window_shape(const Window *window, const Shape *input, int64_t channels, Shape *ret_output,
                 char why[OP_WHY]) {
    char text[SHAPE_TEXT];
    if (input->rank != window->axes + 1) {
        snprintf(why, OP_WHY, "it reads %s, not rows of shape %s",
                 window->axes == 2 ? "images [height, width, channels]"
                                   : "sequences [time, channels]",
                 shape_text(input, text));
        return ERR_INVALID;
    }
    Shape output = {.rank = input->rank};
    output.dim[output.rank - 1] = channels;
    for (int axis = 2 - window->axes; axis < 2; axis++) {
        int64_t inputs = inputs_of(window, input, axis), reach = reach_of(window, axis);
        if (!window->same && reach > inputs) {
            snprintf(why, OP_WHY,
                     "its window reaches over %lld places, more than the %lld of %s in rows of "
                     "shape %s; make it smaller or use padding \"same\"",
                     (long long)reach, (long long)inputs,
                     window->axes == 1 ? "time"
                     : axis == 0       ? "the height"
                                       : "the width",
                     shape_text(input, text));
            return ERR_INVALID;
        }
        output.dim[axis - (2 - window->axes)] = outputs_of(window, axis, inputs);
    }
    *ret_output = output;
    return OK;
}

int64_t window_length(const void *params, const Shape *input, int64_t length) {
    const Window *window = params;
    int axis = 2 - window->axes;
    (void)input;
    if (length == 0)
        return 0;
    bool is_short = !window->same && length < reach_of(window, axis);
    return is_short ? 1 : outputs_of(window, axis, length);
}

WindowGrid window_grid(const Window *window, const Tensor *input, const int32_t *lengths) {
    WindowGrid grid = {.window = window,
                       .lengths = lengths,
                       .rows = input->shape.dim[0],
                       .channels = shape_last(&input->shape)};
    Shape row = {.rank = input->shape.rank - 1};
    for (int d = 0; d < row.rank; d++)
        row.dim[d] = input->shape.dim[d + 1];
    for (int axis = 0; axis < 2; axis++) {
        int64_t inputs = inputs_of(window, &row, axis);
        int64_t outputs = outputs_of(window, axis, inputs);
        int64_t missing = (outputs - 1) * window->stride[axis] + reach_of(window, axis) - inputs;
        grid.in[axis] = inputs;
        grid.out[axis] = outputs;
        grid.before[axis] = window->same && missing > 0 ? missing / 2 : 0;
    }
    return grid;
}
