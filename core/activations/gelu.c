// f(x) = x Φ(x), Φ the normal distribution's; f' = Φ(x) + x φ(x).
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"

static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = x[i] * (Real)0.5 * (1 + real_erf(x[i] * (Real)M_SQRT1_2));
    }
}

static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows, size_t width,
               const Real *alpha, Real *d_alpha) {
    (void)y;
    (void)alpha;
    (void)d_alpha;
    const Real inverse_root = (Real)(M_2_SQRTPI * M_SQRT1_2 / 2); // 1 / √(2π)
    for (size_t i = 0; i < rows * width; i++) {
        Real distribution = (Real)0.5 * (1 + real_erf(x[i] * (Real)M_SQRT1_2));
        Real density = inverse_root * real_exp((Real)-0.5 * x[i] * x[i]);
        dx[i] = (distribution + x[i] * density) * dy[i];
    }
}

const ActivationDesc activation_gelu = {
    .desc = {.name = "gelu",
             .summary = "The value weighted by the normal distribution at it.",
             .reference = "Hendrycks & Gimpel 2016, eq. 1",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .backward_reads_input = true,
    .f = f,
    .df = df,
};
