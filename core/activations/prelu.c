// f(x) = x, or α_c x where x is negative, with α learned per channel c (the last axis). α may
// become negative, so df reads x.
#include <math.h>
#include <stddef.h>
#include "core/activations/activations.h"
#include "core/base/vector.h"

static const ParamSpec params[] = {
    {.name = "alpha",
     .type = PARAM_NUMBER,
     .offset = offsetof(ActivationParams, alpha),
     .default_number = 0.25,
     .help = "slope for negative values before training"},
};

// Columns of α's gradient that are summed at a time.
enum { COLUMNS = 64 };

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    for (size_t r = 0; r < rows; r++) {
        const Real *x_row = x + r * width;
        Real *y_row = y + r * width;
        for (size_t c = 0; c < width; c++) {
            y_row[c] = x_row[c] > 0 ? x_row[c] : alpha[c] * x_row[c];
        }
    }
}

// dα_c = Σ_r dy · min(x, 0), in double.
static void sum_d_alpha(const Real *x, const Real *dy, size_t rows, size_t width, Real *d_alpha) {
    for (size_t begin = 0; begin < width; begin += COLUMNS) {
        size_t columns = width - begin < COLUMNS ? width - begin : COLUMNS;
        double sums[COLUMNS] = {0};
        for (size_t r = 0; r < rows; r++) {
            const Real *x_row = x + r * width + begin, *dy_row = dy + r * width + begin;
            for (size_t c = 0; c < columns; c++) {
                sums[c] += (double)dy_row[c] * (double)(x_row[c] > 0 ? 0 : x_row[c]);
            }
        }
        for (size_t c = 0; c < columns; c++) {
            d_alpha[begin + c] = (Real)sums[c];
        }
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)y;
    if (d_alpha != NULL) {
        sum_d_alpha(x, dy, rows, width, d_alpha); // before dx, which may be dy
    }
    for (size_t r = 0; r < rows; r++) {
        const Real *x_row = x + r * width, *dy_row = dy + r * width;
        Real *dx_row = dx + r * width;
        for (size_t c = 0; c < width; c++) {
            dx_row[c] = x_row[c] > 0 ? dy_row[c] : alpha[c] * dy_row[c];
        }
    }
}

const ActivationDesc activation_prelu = {
    .desc = {.name = "prelu",
             .summary = "Leaky ReLU whose slope each channel learns.",
             .reference = "He et al. 2015, section 2.1",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ActivationParams),
             .probes = (const char *const[]){"{}", "{\"alpha\": -0.5}", NULL}},
    .gain = M_SQRT2,
    .he = true,
    .lower = NAN,
    .upper = NAN,
    .learned = true,
    .backward_reads_input = true,
    .f = f,
    .df = df,
};
