// Any activation as an operator: y = f(x), dx = dy · f'(x).
//
// There are two of them, because the plan must know what has to live until the backward pass: where
// y is enough, y may even be written over x.
#include "core/ops/ops.h"
#include <stdio.h>
#include "core/base/error.h"

enum { FLOPS_AN_ELEMENT = 8 }; // of an exponential or so; only an estimate

static int activate_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                          char why[OP_WHY]) {
    (void)params;
    if (inputs != 1) {
        snprintf(why, OP_WHY, "an activation has one input");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost activate_cost(const void *params, const OpExtent *extent, int inputs,
                            const Shape *input, const Shape *output) {
    (void)inputs;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    bool learned = ((const ActivateParams *)params)->activation->learned;
    return (OpCost){.forward_flops = FLOPS_AN_ELEMENT * elements,
                    .backward_flops = FLOPS_AN_ELEMENT * elements,
                    .scratch_bytes =
                        learned ? (size_t)elements * sizeof(Real) : 0}; // an unwanted dx
}

// alpha [width] where it is learned, else [1].
static const Real *alpha_of(const OpCall *call, const ActivateParams *params) {
    return params->activation->learned ? call->weight[0].data : &params->alpha;
}

static void forward_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const ActivateParams *params = call->params;
    size_t width = op_width(&call->output), at = begin * width;
    params->activation->f(call->input[0].data + at, call->output.data + at, end - begin, width,
                          alpha_of(call, params));
}

static void activate_forward(const OpCall *call) {
    op_for_rows(call, FLOPS_AN_ELEMENT * op_width(&call->output), forward_rows);
}

static void backward_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const ActivateParams *params = call->params;
    const ActivationDesc *activation = params->activation;
    size_t width = op_width(&call->output), at = begin * width;
    Real *dx = call->input_gradient[0].data;
    Real *d_alpha = activation->learned ? call->weight_gradient[0].data : NULL;
    if (dx == NULL) // only where alpha is learned right behind the data; df always writes one
        dx = call->scratch;
    activation->df(activation->backward_reads_input ? call->input[0].data + at : NULL,
                   call->output.data + at, call->output_gradient.data + at, dx + at, end - begin,
                   width, alpha_of(call, params), d_alpha);
}

static void activate_backward(const OpCall *call) {
    const ActivateParams *params = call->params;
    if (params->activation->learned) // its gradient is a sum over all rows
        backward_rows((void *)call, 0, op_rows(&call->output), 0);
    else
        op_for_rows(call, FLOPS_AN_ELEMENT * op_width(&call->output), backward_rows);
}

const OpDesc *activate_op(const ActivationDesc *activation) {
    return activation->backward_reads_input ? &op_activate_by_input : &op_activate_by_output;
}

const OpDesc op_activate_by_output = {
    .name = "activate",
    .reference = "y = f(x), f' from y",
    .backward_reads_output = true,
    .in_place = true,
    .shape = activate_shape,
    .carries = op_carries_nothing,
    .cost = activate_cost,
    .forward = activate_forward,
    .backward = activate_backward,
    .again = activate_forward,
};

const OpDesc op_activate_by_input = {
    .name = "activate",
    .reference = "y = f(x), f' from x",
    .backward_reads_inputs = true,
    .backward_reads_output = true,
    .in_place = true,
    .shape = activate_shape,
    .carries = op_carries_nothing,
    .cost = activate_cost,
    .forward = activate_forward,
    .backward = activate_backward,
};
