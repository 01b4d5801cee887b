// f(x) = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), the approximation of gelu.
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

static const Real outer = (Real)(M_2_SQRTPI * M_SQRT1_2); // √(2/π)
static const Real inner = (Real)0.044715;

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real t = real_tanh(outer * (x[i] + inner * x[i] * x[i] * x[i]));
        y[i] = (Real)0.5 * x[i] * (1 + t);
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)y;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real t = real_tanh(outer * (x[i] + inner * x[i] * x[i] * x[i]));
        Real slope = outer * (1 + 3 * inner * x[i] * x[i]);
        dx[i] = (Real)0.5 * (1 + t + x[i] * (1 - t * t) * slope) * dy[i];
    }
}

const ActivationDesc activation_gelu_tanh = {
    .desc = {.name = "gelu_tanh",
             .summary = "GELU approximated with tanh.",
             .reference = "Hendrycks & Gimpel 2016, section 2",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .backward_reads_input = true,
    .f = f,
    .df = df,
};
