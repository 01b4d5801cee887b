// f(x) = max(x, 0); f'(0) = 0.
#include <math.h>
#include "core/activations/activations.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = x[i] < 0 ? 0 : x[i]; // in this order a NaN stays one
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real gradient = dy[i]; // read in any case: without a branch this is vector code
        dx[i] = y[i] > 0 ? gradient : 0;
    }
}

const ActivationDesc activation_relu = {
    .desc = {.name = "relu",
             .summary = "The value, or 0 where it is negative.",
             .reference = "Nair & Hinton 2010",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .dies = true,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
