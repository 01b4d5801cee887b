// Several dense products of one input, their outputs side by side on the last axis (the queries, keys
// and values of an attention).
//
//   y  [n, count, units]: y_j = x [n, in] · W_j [in, units] + b_j [units]
//   dx = Σ_j dy_j · W_jᵀ        dW_j = xᵀ · dy_j        db_j = Σ_n dy_j
//
// As one operator it sums dx within the products. The kernels are not packed into one: their columns
// would have to be copied together and their gradients apart in every step, which costs what the one
// larger product gains.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

static int joint_linear_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                              char why[OP_WHY]) {
    const JointLinearParams *joint = params;
    if (inputs != 1 || input[0].rank < 1) {
        snprintf(why, OP_WHY, "a dense product needs an input with at least one axis");
        return ERR_INVALID;
    }
    Shape output = input[0];
    output.dim[output.rank - 1] = joint->count * joint->units;
    *ret_output = output;
    return OK;
}

static OpCost joint_linear_cost(const void *params, const OpExtent *extent, int inputs,
                                const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    double products =
        (double)extent->rows * (double)shape_elements(output) * (double)shape_last(input);
    return (OpCost){.forward_flops = 2 * products,
                    .backward_flops = 4 * products,
                    .scratch_bytes = (size_t)shape_last(output) * sizeof(Real)}; // all biases
}

static void joint_linear_forward(const OpCall *call) {
    const JointLinearParams *joint = call->params;
    const Tensor *x = &call->input[0];
    size_t rows = op_rows(x), in = op_width(x), width = op_width(&call->output);
    size_t units = (size_t)joint->units;
    Real *y = call->output.data, *biases = call->scratch;
    for (size_t j = 0; j < (size_t)joint->count; j++)
        memcpy(biases + j * units, call->weight[2 * j + 1].data, units * sizeof(Real));
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * width, biases, width * sizeof(Real));
    for (size_t j = 0; j < (size_t)joint->count; j++)
        blas_gemm(0, 0, (int)rows, (int)units, (int)in, 1, x->data, (int)in,
                  call->weight[2 * j].data, (int)units, 1, y + j * units, (int)width);
}

static void joint_linear_backward(const OpCall *call) {
    const JointLinearParams *joint = call->params;
    const Tensor *x = &call->input[0];
    size_t rows = op_rows(x), in = op_width(x), width = op_width(&call->output);
    size_t units = (size_t)joint->units;
    const Real *dy = call->output_gradient.data;
    Real *dx = call->input_gradient[0].data, *biases = call->scratch;
    if (call->weight_gradient[1].data != NULL)
        kernel_sum_rows(dy, biases, rows, width);
    for (size_t j = 0; j < (size_t)joint->count; j++) {
        Real *d_kernel = call->weight_gradient[2 * j].data;
        Real *d_bias = call->weight_gradient[2 * j + 1].data;
        if (d_kernel != NULL)
            blas_gemm(1, 0, (int)in, (int)units, (int)rows, 1, x->data, (int)in, dy + j * units,
                      (int)width, 0, d_kernel, (int)units);
        if (d_bias != NULL)
            memcpy(d_bias, biases + j * units, units * sizeof(Real));
        if (dx != NULL)
            blas_gemm(0, 1, (int)rows, (int)in, (int)units, 1, dy + j * units, (int)width,
                      call->weight[2 * j].data, (int)units, j == 0 ? 0 : 1, dx, (int)in);
    }
}

const OpDesc op_joint_linear = {
    .name = "joint_linear",
    .reference = "y_j = x W_j + b_j; Vaswani et al. 2017: Attention Is All You Need, section 3.2.2",
    .backward_reads_inputs = true,
    .shape = joint_linear_shape,
    .cost = joint_linear_cost,
    .forward = joint_linear_forward,
    .backward = joint_linear_backward,
};
