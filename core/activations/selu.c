// f(x) = λ x, or λ α (eˣ − 1) where x is negative, with the λ and α under which mean 0 and variance
// 1 are a fixed point.
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

static const Real lambda = (Real)1.0507009873554804934193349852946;
static const Real lambda_alpha =
    (Real)(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717);

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t i = 0; i < rows * width; i++) {
        Real low = x[i] < 0 ? x[i] : 0;
        y[i] = x[i] < 0 ? lambda_alpha * real_expm1_negative(low) : lambda * x[i];
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)alpha;
    (void)d_alpha;
    for (size_t i = 0; i < rows * width; i++) {
        dx[i] = (y[i] >= 0 ? lambda : y[i] + lambda_alpha) * dy[i];
    }
}

const ActivationDesc activation_selu = {
    .desc = {.name = "selu",
             .summary = "Scaled ELU that keeps mean 0 and variance 1 from layer to layer.",
             .reference = "Klambauer et al. 2017, eq. 2",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = 1,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
