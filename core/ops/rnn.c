// The plain recurrent layer.
//
//   h = f(x W + h₋ U + b)      f = tanh or relu
//   dg = dh f'(h)      dh₋ = dg Uᵀ
//
// Values: h.
#include <string.h>
#include "core/activations/real_math.h"
#include "core/base/vector.h"
#include "core/ops/recurrent.h"

VECTOR_LOOPS static void tanh_forward(Real *restrict h, const Real *restrict b, size_t units) {
    for (size_t u = 0; u < units; u++)
        h[u] = real_tanh(h[u] + b[u]);
}

VECTOR_LOOPS static void relu_forward(Real *restrict h, const Real *restrict b, size_t units) {
    for (size_t u = 0; u < units; u++) {
        Real g = h[u] + b[u];
        h[u] = g < 0 ? 0 : g; // passes a NaN on
    }
}

VECTOR_LOOPS static void tanh_backward(const Real *restrict h, const Real *restrict dh,
                                       Real *restrict dg, size_t units) {
    for (size_t u = 0; u < units; u++)
        dg[u] = dh[u] * (1 - h[u] * h[u]);
}

VECTOR_LOOPS static void relu_backward(const Real *restrict h, const Real *restrict dh,
                                       Real *restrict dg, size_t units) {
    for (size_t u = 0; u < units; u++)
        dg[u] = h[u] > 0 ? dh[u] : 0;
}

static void forward(const RecurrentStep *step,
                    void (*activate)(Real *h, const Real *b, size_t units)) {
    size_t units = step->units;
    if (!step->first)
        step->kernel->multiply(step->rows, units, units, step->before[0], units, 1, step->panels[0],
                               1, NULL, step->values, units);
    for (size_t r = 0; r < step->rows; r++)
        activate(step->values + r * units, step->bias, units);
    memcpy(step->state[0], step->values, step->rows * units * sizeof(Real));
}

static void backward(const RecurrentStep *step,
                     void (*differentiate)(const Real *h, const Real *dh, Real *dg, size_t units)) {
    size_t units = step->units;
    for (size_t r = 0; r < step->rows; r++)
        differentiate(step->values + r * units, step->state_gradient[0] + r * units,
                      step->value_gradients + r * units, units);
    if (!step->first)
        step->kernel->multiply(step->rows, units, units, step->value_gradients, units, 1,
                               step->panels[0], 0, NULL, step->state_gradient[0], units);
}

static void tanh_step(const RecurrentStep *step) {
    forward(step, tanh_forward);
}

static void relu_step(const RecurrentStep *step) {
    forward(step, relu_forward);
}

static void tanh_step_backward(const RecurrentStep *step) {
    backward(step, tanh_backward);
}

static void relu_step_backward(const RecurrentStep *step) {
    backward(step, relu_backward);
}

static const RecurrentCell tanh_cell = {.gates = 1,
                                        .values = 1,
                                        .states = 1,
                                        .products = {{1, RECURRENT_BEFORE, 0}},
                                        .flops = 16,
                                        .forward = tanh_step,
                                        .backward = tanh_step_backward};
static const RecurrentCell relu_cell = {.gates = 1,
                                        .values = 1,
                                        .states = 1,
                                        .products = {{1, RECURRENT_BEFORE, 0}},
                                        .flops = 2,
                                        .forward = relu_step,
                                        .backward = relu_step_backward};

static const RecurrentCell *cell_of(const RecurrentParams *params) {
    return params->relu ? &relu_cell : &tanh_cell;
}

static bool rnn_carries(const void *params, const Shape *input, size_t *ret_bytes) {
    (void)input;
    return recurrent_carries(cell_of(params), params, ret_bytes);
}

static OpCost rnn_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                       const Shape *output) {
    (void)inputs;
    (void)output;
    return recurrent_cost(cell_of(params), params, extent, input);
}

static void rnn_forward(const OpCall *call) {
    recurrent_forward(cell_of(call->params), call);
}

static void rnn_backward(const OpCall *call) {
    recurrent_backward(cell_of(call->params), call);
}

const OpDesc op_rnn = {
    .name = "rnn",
    .reference = "Elman 1990: Finding Structure in Time",
    .backward_reads_inputs = true,
    .skips_padding = true,
    .shape = recurrent_shape,
    .length = recurrent_length,
    .carries = rnn_carries,
    .cost = rnn_cost,
    .forward = rnn_forward,
    .backward = rnn_backward,
};
