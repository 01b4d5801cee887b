#include "core/tensor/kernels.h"
#include <criterion/criterion.h>
#include "core/base/rng.h"

enum { ELEMENTS = 1 << 17, WIDTH_MAX = 100 };

static Real x[ELEMENTS];

// Whole and broken numbers of rows at a time, one part and several, wider than the columns that are held.
Test(kernels, sum_rows_to_the_same_bits_by_any_number_of_threads) {
    static const size_t widths[] = {1, 3, 6, 16, 32, 33, WIDTH_MAX};
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (size_t i = 0; i < ELEMENTS; i++)
        x[i] = (Real)rng_normal(&rng);
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), 0);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        size_t width = widths[w], counts[] = {1, 7, 1000, ELEMENTS / width};
        for (size_t r = 0; r < sizeof counts / sizeof *counts; r++) {
            Real alone[WIDTH_MAX], together[WIDTH_MAX];
            kernel_sum_rows_parallel(NULL, x, alone, counts[r], width);
            kernel_sum_rows_parallel(parallel, x, together, counts[r], width);
            cr_assert_arr_eq(alone, together, width * sizeof(Real));
            for (size_t c = 0; c < width; c++) {
                double sum = 0;
                for (size_t row = 0; row < counts[r]; row++)
                    sum += (double)x[row * width + c];
                cr_assert_float_eq((double)alone[c], sum, 1e-4, "%zu rows of %zu", counts[r],
                                   width);
            }
        }
    }
    parallel_destroy(parallel);
}

Test(kernels, dots_of_any_length) {
    Rng rng = rng_make(2, RNG_PROBE, 0, 0);
    Real y[100];
    for (size_t i = 0; i < 100; i++) {
        x[i] = (Real)rng_normal(&rng);
        y[i] = (Real)rng_normal(&rng);
    }
    double dot = 0, squares = 0;
    for (size_t n = 0; n <= 100; n++) { // below, at and above the number of lanes
        cr_assert_float_eq(kernel_dot(x, y, n), dot, 1e-12, "%zu", n);
        cr_assert_float_eq(kernel_sum_squares(x, n), squares, 1e-12, "%zu", n);
        if (n < 100) {
            dot += (double)x[n] * (double)y[n];
            squares += (double)x[n] * (double)x[n];
        }
    }
}

Test(kernels, sums_of_columns_of_one_row_and_of_none) {
    Real sums[WIDTH_MAX];
    for (size_t i = 0; i < WIDTH_MAX; i++)
        x[i] = sums[i] = (Real)i + 1;
    kernel_sum_columns(x, WIDTH_MAX, sums, 1, WIDTH_MAX);
    cr_assert_arr_eq(sums, x, sizeof sums);
    kernel_sum_columns(x, WIDTH_MAX, sums, 0, WIDTH_MAX);
    for (size_t i = 0; i < WIDTH_MAX; i++)
        cr_assert_eq(sums[i], 0);
}
