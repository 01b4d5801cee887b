// Adds to every row of a batch the same numbers, one set for each step: y[r, t, :] = x[r, t, :] + p[t, :].
//
//   dx = dy        dp = Σ_r dy[r]
//
// p is a weight, or a table that stands fixed in the parameters.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"

static int add_positions_shape(const void *params, int inputs, const Shape *input,
                               Shape *ret_output, char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank != 2) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "positions are added to [time, units], not to %s",
                 shape_text(&input[0], text));
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost add_positions_cost(const void *params, const OpExtent *extent, int inputs,
                                 const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    return (OpCost){.forward_flops = elements,
                    .backward_flops = extent->wants_weights ? elements : 0};
}

// Elements of one row of the batch: [time, units] as one axis.
static size_t row_elements(const OpCall *call) {
    return op_elements(&call->output) / (size_t)call->output.shape.dim[0];
}

static void add_to_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const AddPositionsParams *params = call->params;
    const Real *positions = call->weights > 0 ? call->weight[0].data : params->table;
    size_t width = row_elements(call);
    for (size_t r = begin; r < end; r++) {
        const Real *x = call->input[0].data + r * width;
        Real *y = call->output.data + r * width; // may be x
        for (size_t i = 0; i < width; i++)
            y[i] = x[i] + positions[i];
    }
}

static void add_positions_forward(const OpCall *call) {
    parallel_for(call->context->parallel, (size_t)call->output.shape.dim[0],
                 parallel_grain(row_elements(call)), add_to_rows, (void *)call);
}

static void add_positions_backward(const OpCall *call) {
    const Real *dy = call->output_gradient.data;
    Real *dx = call->input_gradient[0].data;
    if (call->weights > 0 && call->weight_gradient[0].data != NULL)
        kernel_sum_columns_parallel(call->context->parallel, dy, row_elements(call),
                                    call->weight_gradient[0].data,
                                    (size_t)call->output.shape.dim[0], row_elements(call));
    if (dx != NULL && dx != dy)
        memcpy(dx, dy, op_elements(&call->output) * sizeof(Real));
}

const OpDesc op_add_positions = {
    .name = "add_positions",
    .reference = "Vaswani et al. 2017: Attention Is All You Need, section 3.5; Gehring et al. 2017",
    .in_place = true,
    .shape = add_positions_shape,
    .cost = add_positions_cost,
    .forward = add_positions_forward,
    .backward = add_positions_backward,
};
