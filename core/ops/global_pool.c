// Pooling over all places of a row (space, or the steps that are data), or over the nodes of each
// graph; each channel by itself.
//
//   mean: y[c] = Σ_p x[p, c] / n       dx[p, c] = dy[c] / n
//   max:  y[c] = max_p x[p, c]         dx[p, c] = dy[c] at the place that gave it, the first of equals
//
// A row without steps, or a graph without nodes, gives 0. A NaN is greater than any number.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/ops/ops.h"
#include "core/tensor/kernels.h"

static int row_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                     char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank < 2) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "there is nothing to pool over in rows of shape %s",
                 inputs < 1 ? "[]" : shape_text(&input[0], text));
        return ERR_INVALID;
    }
    *ret_output = SHAPE(shape_last(&input[0]));
    return OK;
}

static int graph_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                       char why[OP_WHY]) {
    (void)params;
    if (inputs != 1) {
        snprintf(why, OP_WHY, "pooling has one input");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static int64_t no_length(const void *params, const Shape *input, int64_t length) {
    (void)params;
    (void)input;
    (void)length;
    return -1;
}

static OpCost mean_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                        const Shape *output) {
    (void)params;
    (void)inputs;
    (void)output;
    double elements = (double)extent->rows * (double)shape_elements(&input[0]);
    return (OpCost){.forward_flops = elements, .backward_flops = elements};
}

static OpCost max_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                       const Shape *output) {
    OpCost cost = mean_cost(params, extent, inputs, input, output);
    cost.saved_bytes = (size_t)(extent->output_rows * shape_elements(output)) * sizeof(int32_t);
    return cost;
}

// The places of output row `row`: [first, first + count) of x [places, channels].
typedef struct Span {
    size_t first, count;
} Span;

static Span span_of(const OpCall *call, size_t row) {
    const Tensor *x = &call->input[0];
    if (call->output.shape.rank == x->shape.rank) { // over nodes: no axis of a row goes away
        const int32_t *first = call->context->adjacency->first_node;
        return (Span){(size_t)first[row], (size_t)(first[row + 1] - first[row])};
    }
    size_t places = op_rows(x) / (size_t)x->shape.dim[0];
    size_t step = places / (size_t)x->shape.dim[1]; // places of one step
    size_t steps = call->lengths == NULL ? (size_t)x->shape.dim[1] : (size_t)call->lengths[row];
    return (Span){row * places, steps * step};
}

// Elements of what is pooled at each place: the channels, or a node's whole row.
static size_t width_of(const OpCall *call) {
    return op_elements(&call->output) / (size_t)call->output.shape.dim[0];
}

static void mean_forward(const OpCall *call) {
    size_t rows = (size_t)call->output.shape.dim[0], width = width_of(call);
    for (size_t r = 0; r < rows; r++) {
        Span span = span_of(call, r);
        Real *y = call->output.data + r * width;
        kernel_sum_rows(call->input[0].data + span.first * width, y, span.count, width);
        if (span.count > 0)
            kernel_scale(y, width, 1 / (Real)span.count);
    }
}

static void mean_backward(const OpCall *call) {
    size_t rows = (size_t)call->output.shape.dim[0], width = width_of(call);
    Real *dx = call->input_gradient[0].data; // [places, width]
    if (dx == NULL)
        return;
    memset(dx, 0, op_elements(&call->input[0]) * sizeof(Real));
    for (size_t r = 0; r < rows; r++) {
        Span span = span_of(call, r);
        const Real *dy = call->output_gradient.data + r * width;
        Real share = 1 / (Real)span.count;
        for (size_t p = span.first; p < span.first + span.count; p++)
            for (size_t c = 0; c < width; c++)
                dx[p * width + c] = dy[c] * share;
    }
}

static void max_forward(const OpCall *call) {
    size_t rows = (size_t)call->output.shape.dim[0], width = width_of(call);
    for (size_t r = 0; r < rows; r++) {
        Span span = span_of(call, r);
        const Real *x = call->input[0].data + span.first * width; // [count, width]
        Real *restrict y = call->output.data + r * width;
        int32_t *restrict place = (int32_t *)call->saved + r * width;
        memset(place, 0, width * sizeof(*place));
        if (span.count == 0)
            memset(y, 0, width * sizeof(Real));
        else
            memcpy(y, x, width * sizeof(Real));
        for (size_t p = 1; p < span.count; p++)
            for (size_t c = 0; c < width; c++) {
                Real value = x[p * width + c];
                bool takes = (value > y[c]) | (value != value);
                y[c] = takes ? value : y[c];
                place[c] = takes ? (int32_t)p : place[c];
            }
    }
}

static void max_backward(const OpCall *call) {
    size_t rows = (size_t)call->output.shape.dim[0], width = width_of(call);
    Real *dx = call->input_gradient[0].data; // [places, width]
    if (dx == NULL)
        return;
    memset(dx, 0, op_elements(&call->input[0]) * sizeof(Real));
    for (size_t r = 0; r < rows; r++) {
        Span span = span_of(call, r);
        const Real *dy = call->output_gradient.data + r * width;
        const int32_t *place = (const int32_t *)call->saved + r * width;
        for (size_t c = 0; span.count > 0 && c < width; c++)
            dx[(span.first + (size_t)place[c]) * width + c] = dy[c];
    }
}

const OpDesc op_global_avg_pool = {
    .name = "global_avg_pool",
    .reference = "Lin, Chen, Yan 2014: Network In Network, section 3.2",
    .shape = row_shape,
    .length = no_length,
    .cost = mean_cost,
    .forward = mean_forward,
    .backward = mean_backward,
};

const OpDesc op_global_max_pool = {
    .name = "global_max_pool",
    .reference = "Collobert et al. 2011: Natural Language Processing (Almost) from Scratch, "
                 "section 3.3",
    .shape = row_shape,
    .length = no_length,
    .cost = max_cost,
    .forward = max_forward,
    .backward = max_backward,
};

const OpDesc op_graph_avg_pool = {
    .name = "graph_avg_pool",
    .reference = "Xu et al. 2019: How Powerful are Graph Neural Networks?, section 4.2",
    .pools_nodes = true,
    .shape = graph_shape,
    .cost = mean_cost,
    .forward = mean_forward,
    .backward = mean_backward,
};

const OpDesc op_graph_max_pool = {
    .name = "graph_max_pool",
    .reference = "Xu et al. 2019: How Powerful are Graph Neural Networks?, section 4.2",
    .pools_nodes = true,
    .shape = graph_shape,
    .cost = max_cost,
    .forward = max_forward,
    .backward = max_backward,
};
