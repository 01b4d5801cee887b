// Dense product with bias: y = x · W + b on the last axis.
//
//   y  [n, units] = x [n, in] · W [in, units] + b [units]      n: rows times the leading axes
//   dx = dy · Wᵀ        dW = xᵀ · dy        db = Σ_n dy
//
// Inputs of mostly zeros are summed entry by entry, both ways, and have no gradient.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/gather.h"
#include "core/tensor/kernels.h"
#include "core/tensor/product.h"

static int linear_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                        char why[OP_WHY]) {
    const LinearParams *linear = params;
    if (inputs != 1 || input[0].rank < 1) {
        snprintf(why, OP_WHY, "a dense product needs an input with at least one axis");
        return ERR_INVALID;
    }
    Shape output = input[0];
    output.dim[output.rank - 1] = linear->units;
    *ret_output = output;
    return OK;
}

static OpCost linear_cost(const void *params, const OpExtent *extent, int inputs,
                          const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    if (extent->entries > 0) {
        double flops = 2 * (double)extent->entries * (double)shape_last(output);
        return (OpCost){.forward_flops = flops, .backward_flops = flops};
    }
    double products =
        (double)extent->rows * (double)shape_elements(output) * (double)shape_last(input);
    return (OpCost){.forward_flops = 2 * products,
                    .backward_flops = 2 * products * op_halves(extent)};
}

// Row r of y is the sum of the kernel's rows at r's entries.
static void entries_forward(const OpCall *call) {
    const Pattern *pattern = call->pattern;
    Gather gather = {.rows = (size_t)pattern->rows,
                     .width = op_width(&call->output),
                     .x_rows = (size_t)pattern->columns,
                     .first = pattern->first_in_row,
                     .from = pattern->column,
                     .weight = call->input[0].data,
                     .bias = call->weights > 1 ? call->weight[1].data : NULL,
                     .x = call->weight[0].data,
                     .y = call->output.data};
    gather_rows(call->context->parallel, &gather);
}

// … and row c of dW that of dy's rows at column c's.
static void entries_backward(const OpCall *call) {
    const Pattern *pattern = call->pattern;
    Gather gather = {.rows = (size_t)pattern->columns,
                     .width = op_width(&call->output),
                     .x_rows = (size_t)pattern->rows,
                     .first = pattern->first_in_column,
                     .from = pattern->row,
                     .place = pattern->place,
                     .weight = call->input[0].data,
                     .x = call->output_gradient.data,
                     .y = call->weight_gradient[0].data};
    gather_rows(call->context->parallel, &gather);
}

static void linear_forward(const OpCall *call) {
    if (call->pattern != NULL) {
        entries_forward(call);
        return;
    }
    const Tensor *x = &call->input[0], *y = &call->output;
    int rows = (int)op_rows(x), in = (int)op_width(x), units = (int)op_width(y);
    product_run(call->context->parallel,
                &(Product){.m = rows,
                           .n = units,
                           .k = in,
                           .a = x->data,
                           .lda = in,
                           .b = call->weight[0].data,
                           .ldb = units,
                           .c = y->data,
                           .ldc = units,
                           .bias = call->weights > 1 ? call->weight[1].data : NULL});
}

static void linear_backward(const OpCall *call) {
    const Tensor *x = &call->input[0], *dy = &call->output_gradient;
    int rows = (int)op_rows(x), in = (int)op_width(x), units = (int)op_width(dy);
    Real *dx = call->input_gradient[0].data;
    Real *d_kernel = call->weight_gradient[0].data;
    Real *d_bias = call->weights > 1 ? call->weight_gradient[1].data : NULL;
    if (d_kernel != NULL && call->pattern != NULL)
        entries_backward(call);
    else if (d_kernel != NULL)
        product_run(call->context->parallel, &(Product){.m = in,
                                                        .n = units,
                                                        .k = rows,
                                                        .a = x->data,
                                                        .lda = in,
                                                        .transpose_a = true,
                                                        .b = dy->data,
                                                        .ldb = units,
                                                        .c = d_kernel,
                                                        .ldc = units});
    if (d_bias != NULL)
        kernel_sum_columns_parallel(call->context->parallel, dy->data, (size_t)units, d_bias,
                                    (size_t)rows, (size_t)units);
    if (dx != NULL)
        product_run(call->context->parallel, &(Product){.m = rows,
                                                        .n = in,
                                                        .k = units,
                                                        .a = dy->data,
                                                        .lda = units,
                                                        .b = call->weight[0].data,
                                                        .ldb = units,
                                                        .transpose_b = true,
                                                        .c = dx,
                                                        .ldc = in});
}

const OpDesc op_linear = {
    .name = "linear",
    .reference = "y = x W + b; Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.5",
    .backward_reads_inputs = true,
    .reads_pattern = true,
    .shape = linear_shape,
    .carries = op_carries_nothing,
    .cost = linear_cost,
    .forward = linear_forward,
    .backward = linear_backward,
};
