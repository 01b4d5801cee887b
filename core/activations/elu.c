// f(x) = x, or α (eˣ − 1) where x is negative; there f' = y + α. α > 0, so y has the sign of x.
#include <math.h>
#include <stddef.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

static const ParamSpec params[] = {
    {.name = "alpha",
     .type = PARAM_NUMBER,
     .offset = offsetof(ActivationParams, alpha),
     .default_number = 1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = INFINITY,
     .help = "the bound for negative values is -alpha"},
};

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    Real a = alpha[0];
    for (size_t i = 0; i < rows * width; i++) {
        Real low = x[i] < 0 ? x[i] : 0;
        y[i] = x[i] < 0 ? a * real_expm1_negative(low) : x[i];
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)d_alpha;
    Real a = alpha[0];
    for (size_t i = 0; i < rows * width; i++) {
        dx[i] = y[i] >= 0 ? dy[i] : (y[i] + a) * dy[i];
    }
}

const ActivationDesc activation_elu = {
    .desc = {.name = "elu",
             .summary = "The value, or an exponential bend to -alpha where it is negative.",
             .reference = "Clevert, Unterthiner & Hochreiter 2016, eq. 15",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ActivationParams),
             .probes = (const char *const[]){"{}", "{\"alpha\": 0.5}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
