// f(x) = x.
#include <math.h>
#include <string.h>
#include "core/activations/activations.h"

static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    if (y != x) {
        memcpy(y, x, rows * width * sizeof(Real));
    }
}

static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows, size_t width,
               const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)y;
    (void)alpha;
    (void)d_alpha;
    if (dx != dy) {
        memcpy(dx, dy, rows * width * sizeof(Real));
    }
}

const ActivationDesc activation_linear = {
    .desc = {.name = "linear",
             .summary = "The value itself.",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = 1,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
