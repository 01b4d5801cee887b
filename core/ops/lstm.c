// Long short-term memory, gates in the order input, forget, cell, output.
//
//   i, f, o = σ(x W + h₋ U + b)      g = tanh(x W + h₋ U + b)
//   c = f c₋ + i g      h = o tanh c
//
//   do = dh tanh c      dc += dh o (1 − tanh² c)
//   di = dc g      df = dc c₋      dg = dc i      dc₋ = dc f      each through its σ' or tanh'
//   dh₋ = [di, df, dg, do] Uᵀ
//
// Values: i, f, g, o. tanh c is made again in backward.
#include "core/activations/real_math.h"
#include "core/base/vector.h"
#include "core/ops/recurrent.h"

enum { GATES = 4, HIDDEN = 0, CELL = 1 };

VECTOR_LOOPS static void gates_forward(Real *restrict values, const Real *restrict bias,
                                       Real *restrict c, Real *restrict h, size_t units) {
    Real *i = values, *f = i + units, *g = f + units, *o = g + units;
    for (size_t u = 0; u < units; u++) {
        i[u] = real_sigmoid(i[u] + bias[u]);
        f[u] = real_sigmoid(f[u] + bias[units + u]);
        g[u] = real_tanh(g[u] + bias[2 * units + u]);
        o[u] = real_sigmoid(o[u] + bias[3 * units + u]);
        c[u] = f[u] * c[u] + i[u] * g[u];
        h[u] = o[u] * real_tanh(c[u]);
    }
}

VECTOR_LOOPS static void gates_backward(const Real *restrict values, const Real *restrict before,
                                        const Real *restrict dh, Real *restrict dc,
                                        Real *restrict gradients, size_t units) {
    const Real *i = values, *f = i + units, *g = f + units, *o = g + units;
    Real *di = gradients, *df = di + units, *dg = df + units, *d_o = dg + units;
    for (size_t u = 0; u < units; u++) {
        Real t = real_tanh(f[u] * before[u] + i[u] * g[u]);
        Real d = dc[u] + dh[u] * o[u] * (1 - t * t);
        di[u] = d * g[u] * i[u] * (1 - i[u]);
        df[u] = d * before[u] * f[u] * (1 - f[u]);
        dg[u] = d * i[u] * (1 - g[u] * g[u]);
        d_o[u] = dh[u] * t * o[u] * (1 - o[u]);
        dc[u] = d * f[u];
    }
}

static void step_forward(const RecurrentStep *step) {
    size_t units = step->units, gates = GATES * units;
    if (!step->first)
        step->kernel->multiply(step->rows, gates, units, step->before[HIDDEN], units, 1,
                               step->panels[0], 1, NULL, step->values, gates);
    for (size_t r = 0; r < step->rows; r++)
        gates_forward(step->values + r * gates, step->bias, step->state[CELL] + r * units,
                      step->state[HIDDEN] + r * units, units);
}

static void step_backward(const RecurrentStep *step) {
    size_t units = step->units, gates = GATES * units;
    Real *dh = step->state_gradient[HIDDEN], *dc = step->state_gradient[CELL];
    for (size_t r = 0; r < step->rows; r++)
        gates_backward(step->values + r * gates, step->before[CELL] + r * units, dh + r * units,
                       dc + r * units, step->value_gradients + r * gates, units);
    if (!step->first)
        step->kernel->multiply(step->rows, units, gates, step->value_gradients, gates, 1,
                               step->panels[0], 0, NULL, dh, units);
}

static const RecurrentCell cell = {.gates = GATES,
                                   .values = GATES,
                                   .states = 2,
                                   .products = {{GATES, RECURRENT_BEFORE, 0}},
                                   .flops = 80,
                                   .forward = step_forward,
                                   .backward = step_backward};

static bool lstm_carries(const void *params, const Shape *input, size_t *ret_bytes) {
    (void)input;
    return recurrent_carries(&cell, params, ret_bytes);
}

static OpCost lstm_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                        const Shape *output) {
    (void)inputs;
    (void)output;
    return recurrent_cost(&cell, params, extent, input);
}

static void lstm_forward(const OpCall *call) {
    recurrent_forward(&cell, call);
}

static void lstm_backward(const OpCall *call) {
    recurrent_backward(&cell, call);
}

const OpDesc op_lstm = {
    .name = "lstm",
    .reference =
        "Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber, Cummins 2000",
    .backward_reads_inputs = true,
    .skips_padding = true,
    .shape = recurrent_shape,
    .length = recurrent_length,
    .carries = lstm_carries,
    .cost = lstm_cost,
    .forward = lstm_forward,
    .backward = lstm_backward,
};
