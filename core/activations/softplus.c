// f(x) = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|); f' = σ(x) = 1 − e^−y.
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = (x[i] < 0 ? 0 : x[i]) + real_log1p_unit(real_exp_negative(-real_abs(x[i])));
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        dx[i] = -real_expm1_negative(-y[i]) * dy[i];
    }
}

const ActivationDesc activation_softplus = {
    .desc = {.name = "softplus",
             .summary = "A smooth ReLU.",
             .reference = "Dugas et al. 2001",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = 1,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
