// y_c = e^(x_c − max x) / Σ e^(x − max x) over a row, so nothing overflows; dx_c = y_c (dy_c − Σ y
// dy).
#include <math.h>
#include "core/activations/activations.h"
#include "core/activations/real_math.h"
#include "core/base/vector.h"

VECTOR_LOOPS static void f(const Real *x, Real *y, size_t rows, size_t width, const Real *alpha) {
    (void)alpha;
    for (size_t r = 0; r < rows; r++) {
        const Real *x_row = x + r * width;
        Real *y_row = y + r * width;
        Real greatest = x_row[0];
        for (size_t c = 1; c < width; c++) {
            greatest = x_row[c] > greatest ? x_row[c] : greatest;
        }
        for (size_t c = 0; c < width; c++) {
            y_row[c] = real_exp_negative(x_row[c] - greatest);
        }
        double sum = 0;
        for (size_t c = 0; c < width; c++) {
            sum += (double)y_row[c];
        }
        Real factor = (Real)(1 / sum);
        for (size_t c = 0; c < width; c++) {
            y_row[c] *= factor;
        }
    }
}

VECTOR_LOOPS static void df(const Real *x, const Real *y, const Real *dy, Real *dx, size_t rows,
                            size_t width, const Real *alpha, Real *d_alpha) {
    (void)x;
    (void)alpha;
    (void)d_alpha;
    for (size_t r = 0; r < rows; r++) {
        const Real *y_row = y + r * width, *dy_row = dy + r * width;
        Real *dx_row = dx + r * width;
        double dot = 0;
        for (size_t c = 0; c < width; c++) {
            dot += (double)y_row[c] * (double)dy_row[c];
        }
        for (size_t c = 0; c < width; c++) {
            dx_row[c] = y_row[c] * (dy_row[c] - (Real)dot);
        }
    }
}

const ActivationDesc activation_softmax = {
    .desc = {.name = "softmax",
             .summary = "Positive shares of a row that add up to 1.",
             .reference = "Bridle 1990",
             .probes = (const char *const[]){"{}", NULL}},
    .gain = 1,
    .lower = NAN,
    .upper = NAN,
    .by_row = true,
    .f = f,
    .df = df,
};
