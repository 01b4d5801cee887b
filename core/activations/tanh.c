// f(x) = tanh x; f' = 1 − y².
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = real_tanh(x[i]);
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        dx[i] = (1 - y[i] * y[i]) * dy[i];
    }
}

const ActivationDesc activation_tanh = {
    .desc = {.name = "tanh",
             .summary = "An S from -1 to 1.",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = 5.0 / 3.0,
    .lower = -1,
    .upper = 1,
    .f = f,
    .df = df,
};
