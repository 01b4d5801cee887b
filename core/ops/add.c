// Sum of inputs of one shape: y = Σ x_k, dx_k = dy.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
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

// y = a + b; y may be a.
VECTOR_LOOPS static void add_two(const Real *a, const Real *b, Real *y, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void add_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t width = op_width(&call->output), at = begin * width, n = (end - begin) * width;
    Real *y = call->output.data + at;
    add_two(call->input[0].data + at, call->input[1].data + at, y, n);
    for (int k = 2; k < call->inputs; k++)
        kernel_add(y, call->input[k].data + at, n);
}

static void add_forward(const OpCall *call) {
    op_for_rows(call, (size_t)call->inputs * op_width(&call->output), add_rows);
}

static void copy_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t width = op_width(&call->output), at = begin * width, n = (end - begin) * width;
    const Real *dy = call->output_gradient.data;
    for (int k = 0; k < call->inputs; k++) {
        Real *dx = call->input_gradient[k].data;
        if (dx != NULL && dx != dy)
            memcpy(dx + at, dy + at, n * sizeof(Real));
    }
}

static void add_backward(const OpCall *call) {
    op_for_rows(call, (size_t)call->inputs * op_width(&call->output), copy_rows);
}

const OpDesc op_add = {
    .name = "add",
    .reference = "y = sum of the inputs",
    .in_place = true,
    .shape = add_shape,
    .carries = op_carries_nothing,
    .cost = add_cost,
    .forward = add_forward,
    .backward = add_backward,
};
