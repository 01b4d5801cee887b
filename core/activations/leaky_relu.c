// f(x) = x, or α x where x is negative; α ≥ 0, so y has the sign of x and df can do without x.
#include <math.h>
#include <stddef.h>
#include "core/activations/activations.h"
#include "core/base/vector.h"

static const ParamSpec params[] = {
    {.name = "alpha",
     .type = PARAM_NUMBER,
     .offset = offsetof(ActivationParams, alpha),
     .default_number = 0.01,
     .minimum = 0,
     .maximum = INFINITY,
     .help = "slope for negative values"},
};

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    Real a = alpha[0];
    for (size_t i = 0; i < rows * width; i++) {
        y[i] = x[i] > 0 ? x[i] : a * x[i];
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)d_alpha;
    Real a = alpha[0];
    for (size_t i = 0; i < rows * width; i++) {
        dx[i] = y[i] > 0 ? dy[i] : a * dy[i];
    }
}

const ActivationDesc activation_leaky_relu = {
    .desc = {.name = "leaky_relu",
             .summary = "The value, or a small share of it where it is negative.",
             .reference = "Maas, Hannun & Ng 2013, section 2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ActivationParams),
             .probes = (const char *const[]){"{}", "{\"alpha\": 0.2}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .f = f,
    .df = df,
};
