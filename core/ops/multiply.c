// Product of inputs of one shape: y = Π x_k, dx_k = dy · Π of the others.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/ops/ops.h"

static int multiply_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                          char why[OP_WHY]) {
    (void)params;
    if (inputs < 2) {
        snprintf(why, OP_WHY, "a product needs at least two inputs, not %d", inputs);
        return ERR_INVALID;
    }
    for (int k = 1; k < inputs; k++)
        if (!shape_equal(&input[k], &input[0])) {
            char first[SHAPE_TEXT], other[SHAPE_TEXT];
            snprintf(why, OP_WHY, "inputs that are multiplied must have one shape, not %s and %s",
                     shape_text(&input[0], first), shape_text(&input[k], other));
            return ERR_INVALID;
        }
    *ret_output = input[0];
    return OK;
}

static OpCost multiply_cost(const void *params, const OpExtent *extent, int inputs,
                            const Shape *input, const Shape *output) {
    (void)params;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    return (OpCost){.forward_flops = (inputs - 1) * elements,
                    .backward_flops = inputs * (inputs - 1) * elements};
}

// y *= x
VECTOR_LOOPS static void multiply_by(Real *restrict y, const Real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        y[i] *= x[i];
}

static void multiply_forward(const OpCall *call) {
    size_t n = op_elements(&call->output);
    memcpy(call->output.data, call->input[0].data, n * sizeof(Real));
    for (int k = 1; k < call->inputs; k++)
        multiply_by(call->output.data, call->input[k].data, n);
}

static void multiply_backward(const OpCall *call) {
    size_t n = op_elements(&call->output);
    for (int k = 0; k < call->inputs; k++) {
        Real *dx = call->input_gradient[k].data;
        if (dx == NULL)
            continue;
        memcpy(dx, call->output_gradient.data, n * sizeof(Real));
        for (int other = 0; other < call->inputs; other++)
            if (other != k)
                multiply_by(dx, call->input[other].data, n);
    }
}

const OpDesc op_multiply = {
    .name = "multiply",
    .reference = "y = product of the inputs",
    .backward_reads_inputs = true,
    .shape = multiply_shape,
    .carries = op_carries_nothing,
    .cost = multiply_cost,
    .forward = multiply_forward,
    .backward = multiply_backward,
};
