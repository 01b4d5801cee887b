// Sum of inputs of one shape: y = Σ x_k, dx_k = dy.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"

static int add_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                     char why[OP_WHY]) {
    (void)params;
    if (inputs < 2) {
        snprintf(why, OP_WHY, "a sum needs at least two inputs, not %d", inputs);
        return ERR_INVALID;
    }
    for (int k = 1; k < inputs; k++)
        if (!shape_equal(&input[k], &input[0])) {
            char first[SHAPE_TEXT], other[SHAPE_TEXT];
            snprintf(why, OP_WHY, "inputs that are added must have one shape, not %s and %s",
                     shape_text(&input[0], first), shape_text(&input[k], other));
            return ERR_INVALID;
        }
    *ret_output = input[0];
    return OK;
}

static OpCost add_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                       const Shape *output) {
    (void)params;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    return (OpCost){.forward_flops = (inputs - 1) * elements};
}

static void add_forward(const OpCall *call) {
    Real *y = call->output.data;
    const Real *a = call->input[0].data, *b = call->input[1].data; // y may be a
    size_t n = op_elements(&call->output);
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
    for (int k = 2; k < call->inputs; k++)
        kernel_add(y, call->input[k].data, n);
}

static void add_backward(const OpCall *call) {
    const Real *dy = call->output_gradient.data;
    size_t bytes = op_elements(&call->output) * sizeof(Real);
    for (int k = 0; k < call->inputs; k++) {
        Real *dx = call->input_gradient[k].data;
        if (dx != NULL && dx != dy)
            memcpy(dx, dy, bytes);
    }
}

const OpDesc op_add = {
    .name = "add",
    .reference = "y = sum of the inputs",
    .in_place = true,
    .shape = add_shape,
    .cost = add_cost,
    .forward = add_forward,
    .backward = add_backward,
};
