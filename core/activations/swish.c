// f(x) = x σ(x); f' = σ (1 + x (1 − σ)).
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = x[i] * real_sigmoid(x[i]);
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)y;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real s = real_sigmoid(x[i]);
        dx[i] = s * (1 + x[i] * (1 - s)) * dy[i];
    }
}

const ActivationDesc activation_swish = {
    .desc = {.name = "swish",
             .aliases = (const char *const[]){"silu", NULL},
             .summary = "The value weighted by its sigmoid.",
             .reference = "Ramachandran, Zoph & Le 2017; Elfwing, Uchibe & Doya 2018 (SiLU)",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .backward_reads_input = true,
    .f = f,
    .df = df,
};
