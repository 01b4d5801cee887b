// Gated recurrent units, gates in the order update, reset, candidate.
//
//   z, r = σ(x W + h₋ U + b)      h = z h₋ + (1 − z) n
//
// with the reset gate after the recurrent product, as cuDNN, PyTorch and Keras have it, b' its own bias:
//
//   q = h₋ U + b'      n = tanh(x W + b + r q)
//   dn = dh (1 − z) (1 − n²)      dr = dn q r (1 − r)      dz = dh (h₋ − n) z (1 − z)      dq = dn r
//   dh₋ = dh z + [dz, dr, dq] Uᵀ
//
// or before it, as in the paper:
//
//   m = r h₋      n = tanh(x W + b + m U)
//   dm = dn Uᵀ      dr = dm h₋ r (1 − r)      dh₋ = dh z + dm r + [dz, dr] Uᵀ
//
// Values: z, r, n, and q or m. Their gradients: dz, dr, dn, and dq or dm.
#include <string.h>
#include "core/activations/real_math.h"
#include "core/base/vector.h"
#include "core/ops/recurrent.h"

enum { GATES = 3, VALUES = 4 };
enum { UPDATE, RESET, CANDIDATE, FOURTH }; // blocks

enum { GATES_PRODUCT, CANDIDATE_PRODUCT }; // of z and r; of n

// y [rows, blocks · units] (rows VALUES · units apart) = beta y + x [rows, units] · the product's columns of U.
static void times_kernel(const RecurrentStep *step, int product, const Real *x, size_t stride,
                         Real beta, Real *y) {
    size_t units = step->units, columns = product == GATES_PRODUCT ? 2 * units : units;
    step->kernel->multiply(step->rows, columns, units, x, stride, 1, step->panels[product], beta,
                           NULL, y, VALUES * units);
}

// y [rows, units] = beta y + x [rows, blocks · units] (rows VALUES · units apart) · those columns' transpose.
static void times_transposed(const RecurrentStep *step, int product, const Real *x, Real beta,
                             Real *y, size_t stride) {
    size_t units = step->units, columns = product == GATES_PRODUCT ? 2 * units : units;
    step->kernel->multiply(step->rows, units, columns, x, VALUES * units, 1, step->panels[product],
                           beta, NULL, y, stride);
}

// ---- reset after the product ----

VECTOR_LOOPS static void after_forward(Real *restrict values, const Real *restrict bias,
                                       Real *restrict h, size_t units) {
    Real *z = values, *r = z + units, *n = r + units, *q = n + units;
    const Real *own = bias + GATES * units; // the recurrent product's
    for (size_t u = 0; u < units; u++) {
        z[u] = real_sigmoid(z[u] + (bias[u] + own[u]));
        r[u] = real_sigmoid(r[u] + (bias[units + u] + own[units + u]));
        q[u] += own[2 * units + u];
        n[u] = real_tanh(n[u] + bias[2 * units + u] + r[u] * q[u]);
        h[u] = z[u] * h[u] + (1 - z[u]) * n[u];
    }
}

VECTOR_LOOPS static void after_backward(const Real *restrict values, const Real *restrict before,
                                        Real *restrict dh, Real *restrict gradients, size_t units) {
    const Real *z = values, *r = z + units, *n = r + units, *q = n + units;
    Real *dz = gradients, *dr = dz + units, *dn = dr + units, *dq = dn + units;
    for (size_t u = 0; u < units; u++) {
        Real candidate = dh[u] * (1 - z[u]) * (1 - n[u] * n[u]);
        dz[u] = dh[u] * (before[u] - n[u]) * z[u] * (1 - z[u]);
        dr[u] = candidate * q[u] * r[u] * (1 - r[u]);
        dn[u] = candidate;
        dq[u] = candidate * r[u];
        dh[u] *= z[u];
    }
}

static void after_step(const RecurrentStep *step) {
    size_t units = step->units, width = VALUES * units;
    for (size_t r = 0; step->first && r < step->rows; r++)
        memset(step->values + r * width + FOURTH * units, 0, units * sizeof(Real));
    if (!step->first) {
        times_kernel(step, GATES_PRODUCT, step->before[0], units, 1, step->values);
        times_kernel(step, CANDIDATE_PRODUCT, step->before[0], units, 0,
                     step->values + FOURTH * units);
    }
    for (size_t r = 0; r < step->rows; r++)
        after_forward(step->values + r * width, step->bias, step->state[0] + r * units, units);
}

static void after_step_backward(const RecurrentStep *step) {
    size_t units = step->units, width = VALUES * units;
    Real *dh = step->state_gradient[0];
    for (size_t r = 0; r < step->rows; r++)
        after_backward(step->values + r * width, step->before[0] + r * units, dh + r * units,
                       step->value_gradients + r * width, units);
    if (step->first)
        return;
    times_transposed(step, GATES_PRODUCT, step->value_gradients, 1, dh, units);
    times_transposed(step, CANDIDATE_PRODUCT, step->value_gradients + FOURTH * units, 1, dh, units);
}

static const RecurrentCell after_cell = {
    .gates = GATES,
    .values = VALUES,
    .states = 1,
    .products = {{2, RECURRENT_BEFORE, UPDATE}, {1, RECURRENT_BEFORE, FOURTH}},
    .flops = 60,
    .forward = after_step,
    .backward = after_step_backward};

// ---- reset before the product ----

VECTOR_LOOPS static void before_forward_gates(Real *restrict values, const Real *restrict bias,
                                              const Real *restrict before, size_t units) {
    Real *z = values, *r = z + units, *m = r + 2 * units;
    for (size_t u = 0; u < units; u++) {
        z[u] = real_sigmoid(z[u] + bias[u]);
        r[u] = real_sigmoid(r[u] + bias[units + u]);
        m[u] = r[u] * before[u];
    }
}

VECTOR_LOOPS static void before_forward_candidate(Real *restrict values, const Real *restrict bias,
                                                  Real *restrict h, size_t units) {
    Real *z = values, *n = z + 2 * units;
    for (size_t u = 0; u < units; u++) {
        n[u] = real_tanh(n[u] + bias[2 * units + u]);
        h[u] = z[u] * h[u] + (1 - z[u]) * n[u];
    }
}

VECTOR_LOOPS static void before_backward_candidate(const Real *restrict values,
                                                   const Real *restrict before, Real *restrict dh,
                                                   Real *restrict gradients, size_t units) {
    const Real *z = values, *n = z + 2 * units;
    Real *dz = gradients, *dn = dz + 2 * units;
    for (size_t u = 0; u < units; u++) {
        dz[u] = dh[u] * (before[u] - n[u]) * z[u] * (1 - z[u]);
        dn[u] = dh[u] * (1 - z[u]) * (1 - n[u] * n[u]);
        dh[u] *= z[u];
    }
}

VECTOR_LOOPS static void before_backward_reset(const Real *restrict values,
                                               const Real *restrict before, Real *restrict dh,
                                               Real *restrict gradients, size_t units) {
    const Real *r = values + units;
    Real *dr = gradients + units, *dm = dr + 2 * units;
    for (size_t u = 0; u < units; u++) {
        dr[u] = dm[u] * before[u] * r[u] * (1 - r[u]);
        dh[u] += dm[u] * r[u];
    }
}

static void before_step(const RecurrentStep *step) {
    size_t units = step->units, width = VALUES * units;
    if (!step->first)
        times_kernel(step, GATES_PRODUCT, step->before[0], units, 1, step->values);
    for (size_t r = 0; r < step->rows; r++)
        before_forward_gates(step->values + r * width, step->bias, step->before[0] + r * units,
                             units);
    if (!step->first)
        times_kernel(step, CANDIDATE_PRODUCT, step->values + FOURTH * units, width, 1,
                     step->values + CANDIDATE * units);
    for (size_t r = 0; r < step->rows; r++)
        before_forward_candidate(step->values + r * width, step->bias, step->state[0] + r * units,
                                 units);
}

static void before_step_backward(const RecurrentStep *step) {
    size_t units = step->units, width = VALUES * units;
    Real *dh = step->state_gradient[0], *gradients = step->value_gradients;
    for (size_t r = 0; r < step->rows; r++)
        before_backward_candidate(step->values + r * width, step->before[0] + r * units,
                                  dh + r * units, gradients + r * width, units);
    times_transposed(step, CANDIDATE_PRODUCT, gradients + CANDIDATE * units, 0,
                     gradients + FOURTH * units, width);
    for (size_t r = 0; r < step->rows; r++)
        before_backward_reset(step->values + r * width, step->before[0] + r * units, dh + r * units,
                              gradients + r * width, units);
    if (!step->first)
        times_transposed(step, GATES_PRODUCT, gradients, 1, dh, units);
}

static const RecurrentCell before_cell = {
    .gates = GATES,
    .values = VALUES,
    .states = 1,
    .products = {{2, RECURRENT_BEFORE, UPDATE}, {1, FOURTH, CANDIDATE}},
    .flops = 60,
    .forward = before_step,
    .backward = before_step_backward};

static const RecurrentCell *cell_of(const RecurrentParams *params) {
    return params->reset_after ? &after_cell : &before_cell;
}

static bool gru_carries(const void *params, const Shape *input, size_t *ret_bytes) {
    (void)input;
    return recurrent_carries(cell_of(params), params, ret_bytes);
}

static OpCost gru_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                       const Shape *output) {
    (void)inputs;
    (void)output;
    return recurrent_cost(cell_of(params), params, extent, input);
}

static void gru_forward(const OpCall *call) {
    recurrent_forward(cell_of(call->params), call);
}

static void gru_backward(const OpCall *call) {
    recurrent_backward(cell_of(call->params), call);
}

const OpDesc op_gru = {
    .name = "gru",
    .reference =
        "Cho et al. 2014: Learning Phrase Representations using RNN Encoder-Decoder, eq. 5 to 8",
    .backward_reads_inputs = true,
    .skips_padding = true,
    .shape = recurrent_shape,
    .length = recurrent_length,
    .carries = gru_carries,
    .cost = gru_cost,
    .forward = gru_forward,
    .backward = gru_backward,
};
