// f(x) = x Φ(x), Φ the normal distribution's; f' = Φ(x) + x φ(x).
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real density;
        y[i] = x[i] * real_normal(x[i], &density);
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)y;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real density, distribution = real_normal(x[i], &density);
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
