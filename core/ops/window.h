// Windows that slide over the one or two axes of a row before its channels: what convolutions and
// pools have in common. A sequence [time, channels] is an image of height 1.
//
//   reach  = dilation · (size − 1) + 1                        inputs from a window's first to its last
//   valid:   out = ⌊(in − reach) / stride⌋ + 1, before = 0
//   same:    out = ⌈in / stride⌉, before = ⌊max((out − 1) · stride + reach − in, 0) / 2⌋
//   tap k of the window at output o reads input  o · stride − before + k · dilation
//
// "same" is TensorFlow's: where the padding is odd, the extra one stands behind.
//
// Where the rows are sequences of different lengths, inputs behind a row's length are outside, as
// those before 0 are. A row of no steps gives none; any other gives at least one, be it shorter than
// a window.
#pragma once
#include "core/ops/op.h"

typedef struct Window {
    int axes; // 1: [time, channels]; 2: [height, width, channels]
    bool same;
    int64_t size[2], stride[2], dilation[2]; // [h, w]; with one axis, [0] is 1
} Window;

// Where the windows stand on a tensor.
typedef struct WindowGrid {
    const Window *window;
    const int32_t *lengths;      // [rows] steps that are data; NULL: all
    int64_t rows, in[2], out[2]; // [h, w]
    int64_t before[2], channels; // padding before the first input; input's channels
} WindowGrid;

// The taps [begin, end) of a window that read an input inside; the first reads input `first` (of
// tap 0, which may be outside).
typedef struct WindowTaps {
    int64_t first, begin, end;
} WindowTaps;

// Output shape of one row, with so many channels. ERR_INVALID with a sentence in `why`.
int window_shape(const Window *window, const Shape *input, int64_t channels, Shape *ret_output,
                 char why[OP_WHY]);
// OpDesc.length of operators whose parameters begin with a Window.
int64_t window_length(const void *window, const Shape *input, int64_t length);
WindowGrid window_grid(const Window *window, const Tensor *input, const int32_t *lengths);

// Inputs of row `row` along an axis.
static inline int64_t window_inputs(const WindowGrid *grid, int64_t row, int axis) {
    bool is_first = axis == 2 - grid->window->axes;
    return is_first && grid->lengths != NULL ? grid->lengths[row] : grid->in[axis];
}

static inline WindowTaps window_taps(const WindowGrid *grid, int axis, int64_t out,
                                     int64_t inputs) {
    int64_t dilation = grid->window->dilation[axis], size = grid->window->size[axis];
    int64_t first = out * grid->window->stride[axis] - grid->before[axis];
    int64_t begin = first < 0 ? (dilation - 1 - first) / dilation : 0;
    int64_t end = size;
    if (first + (size - 1) * dilation >= inputs) // the divisions are for the edges alone
        end = first >= inputs ? 0 : (inputs - first + dilation - 1) / dilation;
    return (WindowTaps){first, begin < end ? begin : end, end};
}
