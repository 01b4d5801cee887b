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
#include "core/base/error.h"
#include "core/tensor/kernels.h"
#include "core/tensor/product.h"

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
                    .backward_flops = 2 * products * op_halves(extent)};
}

static void joint_linear_forward(const OpCall *call) {
    const JointLinearParams *joint = call->params;
    const Tensor *x = &call->input[0];
    int units = (int)joint->units, in = (int)op_width(x);
    for (int j = 0; j < joint->count; j++)
        product_run(call->context->parallel, &(Product){.m = (int)op_rows(x),
                                                        .n = units,
                                                        .k = in,
                                                        .a = x->data,
                                                        .lda = in,
                                                        .b = call->weight[2 * j].data,
                                                        .ldb = units,
                                                        .c = call->output.data + j * units,
                                                        .ldc = (int)joint->count * units,
                                                        .bias = call->weight[2 * j + 1].data});
}

static void joint_linear_backward(const OpCall *call) {
    const JointLinearParams *joint = call->params;
    const Tensor *x = &call->input[0];
    int rows = (int)op_rows(x), units = (int)joint->units, in = (int)op_width(x);
    int width = (int)joint->count * units;
    for (int j = 0; j < joint->count; j++) {
        const Real *dy = call->output_gradient.data + j * units;
        Real *d_bias = call->weight_gradient[2 * j + 1].data;
        Product d_kernel = {.m = in,
                            .n = units,
                            .k = rows,
                            .a = x->data,
                            .lda = in,
                            .transpose_a = true,
                            .b = dy,
                            .ldb = width,
                            .c = call->weight_gradient[2 * j].data,
                            .ldc = units};
        if (d_kernel.c != NULL)
            product_run(call->context->parallel, &d_kernel);
        if (d_bias != NULL)
            kernel_sum_columns_parallel(call->context->parallel, dy, (size_t)width, d_bias,
                                        (size_t)rows, (size_t)units);
        Product dx = {.m = rows,
                      .n = in,
                      .k = units,
                      .a = dy,
                      .lda = width,
                      .b = call->weight[2 * j].data,
                      .ldb = units,
                      .transpose_b = true,
                      .c = call->input_gradient[0].data,
                      .ldc = in,
                      .add = j > 0};
        if (dx.c != NULL)
            product_run(call->context->parallel, &dx);
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
