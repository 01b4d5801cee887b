// Dense product with bias: y = x · W + b on the last axis.
//
//   y  [n, units] = x [n, in] · W [in, units] + b [units]      n: rows times the leading axes
//   dx = dy · Wᵀ        dW = xᵀ · dy        db = Σ_n dy
//
// Forward lays the bias into y first and lets the product add to it, so that y is written once
// less.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

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
    double products =
        (double)extent->rows * (double)shape_elements(output) * (double)shape_last(input);
    return (OpCost){.forward_flops = 2 * products, .backward_flops = 4 * products};
}

static void linear_forward(const OpCall *call) {
    const Tensor *x = &call->input[0], *y = &call->output;
    size_t rows = op_rows(x), in = op_width(x), units = op_width(y);
    bool bias = call->weights > 1;
    for (size_t r = 0; bias && r < rows; r++)
        memcpy(y->data + r * units, call->weight[1].data, units * sizeof(Real));
    blas_gemm(0, 0, (int)rows, (int)units, (int)in, 1, x->data, (int)in, call->weight[0].data,
              (int)units, bias ? 1 : 0, y->data, (int)units);
}

static void linear_backward(const OpCall *call) {
    const Tensor *x = &call->input[0], *dy = &call->output_gradient;
    size_t rows = op_rows(x), in = op_width(x), units = op_width(dy);
    Real *dx = call->input_gradient[0].data;
    Real *d_kernel = call->weight_gradient[0].data;
    Real *d_bias = call->weights > 1 ? call->weight_gradient[1].data : NULL;
    if (d_kernel != NULL)
        blas_gemm(1, 0, (int)in, (int)units, (int)rows, 1, x->data, (int)in, dy->data, (int)units,
                  0, d_kernel, (int)units);
    if (d_bias != NULL)
        kernel_sum_rows(dy->data, d_bias, rows, units);
    if (dx != NULL)
        blas_gemm(0, 1, (int)rows, (int)in, (int)units, 1, dy->data, (int)units,
                  call->weight[0].data, (int)units, 0, dx, (int)in);
}

const OpDesc op_linear = {
    .name = "linear",
    .reference = "y = x W + b; Goodfellow, Bengio, Courville: Deep Learning (2016), section 6.5",
    .backward_reads_inputs = true,
    .shape = linear_shape,
    .cost = linear_cost,
    .forward = linear_forward,
    .backward = linear_backward,
};
