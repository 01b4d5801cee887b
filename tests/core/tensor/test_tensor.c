// Shapes, kernels and matrix products.
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"
#include "core/tensor/shape.h"
#include "tests/support/near.h"

Test(shape, counts_its_elements_within_bounds) {
    cr_assert_eq(shape_elements(&SHAPE(28, 28, 1)), 784);
    cr_assert_eq(shape_elements(&(Shape){.rank = 0}), 1);
    cr_assert_eq(shape_elements(&SHAPE(3, 0)), 0);
    cr_assert_eq(shape_elements(&SHAPE(-2, -2)), 0);
    cr_assert_eq(shape_elements(&SHAPE((int64_t)1 << 40)), (int64_t)1 << 40);
    cr_assert_eq(shape_elements(&SHAPE((int64_t)1 << 40, 2)), 0);
    cr_assert_eq(shape_elements(&SHAPE(INT64_MAX, INT64_MAX)), 0);
}

Test(shape, compares_and_prints) {
    char text[SHAPE_TEXT];
    cr_assert(shape_equal(&SHAPE(2, 3), &SHAPE(2, 3)));
    cr_assert_not(shape_equal(&SHAPE(2, 3), &SHAPE(2, 3, 1)));
    cr_assert_not(shape_equal(&SHAPE(2, 3), &SHAPE(3, 2)));
    cr_assert_eq(shape_last(&SHAPE(2, 3)), 3);
    cr_assert_eq(shape_last(&(Shape){.rank = 0}), 1);
    cr_assert_str_eq(shape_text(&SHAPE(28, 28, 1), text), "[28, 28, 1]");
    cr_assert_str_eq(shape_text(&(Shape){.rank = 0}, text), "[]");
    shape_text(&SHAPE(INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN), text);
    cr_assert_eq(text[strlen(text) - 1], ']');
}

enum { COUNT = 1003 };

static Real *random_array(size_t count, uint64_t key) {
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    Real *array = memory_array(count, sizeof(Real));
    for (size_t i = 0; i < count; i++) {
        array[i] = (Real)rng_normal(&rng);
    }
    return array;
}

Test(kernels, sum_in_double) {
    AUTO_FREE Real *x = random_array(COUNT, 0);
    const Real from = (Real)0.7;
    for (size_t n = 0; n < COUNT; n += n < 20 ? 1 : 97) {
        double sum, squares, expected_sum = 0, expected_squares = 0, sum_squares = 0;
        for (size_t i = 0; i < n; i++) {
            double distance = (double)x[i] - (double)from;
            expected_sum += distance;
            expected_squares += distance * distance;
            sum_squares += (double)x[i] * (double)x[i];
        }
        kernel_moments(x, n, from, &sum, &squares);
        assert_near(sum, expected_sum, 1e2 * REAL_EPSILON);
        assert_near(squares, expected_squares, 1e2 * REAL_EPSILON);
        assert_near(kernel_sum_squares(x, n), sum_squares, 1e-12);
    }
}

Test(kernels, sums_keep_small_terms) {
    AUTO_FREE Real *x = memory_array(1 << 20, sizeof(Real));
    double sum, squares;
    kernel_fill(x, 1 << 20, (Real)0x1p-10);
    x[0] = (Real)0x1p10; // in single precision each further square would vanish
    assert_near(kernel_sum_squares(x, 1 << 20) - 0x1p20, 1 - 0x1p-20, 1e-6);
    kernel_fill(x, 1 << 20, (Real)0.1); // here the sum would stop at 2^21
    kernel_moments(x, 1 << 20, 0, &sum, &squares);
    assert_near(sum, 0x1p20 * (double)x[0], 1e4 * REAL_EPSILON);
}

Test(kernels, moments_of_numbers_whose_squares_are_too_large) {
    Real x[64];
    double sum, squares;
    kernel_fill(x, 64, (Real)1e30);
    kernel_moments(x, 64, 0, &sum, &squares);
    assert_near(sum, 64e30, 1e2 * REAL_EPSILON);
    assert_near(squares, 64e60, 1e2 * REAL_EPSILON);
}

Test(kernels, fill_add_and_scale) {
    Real x[] = {1, 2, 3}, y[3];
    kernel_fill(y, 3, 2);
    kernel_add(y, x, 3);
    kernel_scale(y, 3, (Real)0.5);
    assert_all_near(y, ((double[]){1.5, 2, 2.5}), 3, 0);
}

Test(kernels, finite_sees_each_place) {
    AUTO_FREE Real *x = memory_array(10000, sizeof(Real));
    cr_assert(kernel_finite(x, 10000));
    cr_assert(kernel_finite(x, 0));
    const Real bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 10000; i += 77) {
        for (size_t b = 0; b < ARRAY_LENGTH(bad); b++) {
            x[i] = bad[b];
            cr_assert_not(kernel_finite(x, 10000));
        }
        x[i] = 0;
    }
}

Test(kernels, rows_are_added_and_summed) {
    enum { ROWS = 7, WIDTH = 131 };
    AUTO_FREE Real *x = random_array(ROWS * WIDTH, 1);
    AUTO_FREE Real *row = random_array(WIDTH, 2);
    AUTO_FREE Real *y = memory_array(ROWS * WIDTH, sizeof(Real));
    memcpy(y, x, ROWS * WIDTH * sizeof(Real));
    kernel_add_rows(y, row, ROWS, WIDTH);
    Real sums[WIDTH];
    kernel_sum_rows(x, sums, ROWS, WIDTH);
    for (size_t c = 0; c < WIDTH; c++) {
        double sum = 0;
        for (size_t r = 0; r < ROWS; r++) {
            sum += (double)x[r * WIDTH + c];
            cr_assert_eq(y[r * WIDTH + c], x[r * WIDTH + c] + row[c]);
        }
        assert_near((double)sums[c], sum, 4 * REAL_EPSILON);
    }
    enum { FROM = 3, COLUMNS = 5 };
    Real some[COLUMNS];
    kernel_sum_columns(x + FROM, WIDTH, some, ROWS, COLUMNS);
    cr_assert_arr_eq(some, sums + FROM, sizeof(some));
}

Test(kernels, columns_are_summed_alike_by_any_number_of_threads) {
    enum { ROWS = 1000, WIDTH = 131, FROM = 7 };
    AUTO_FREE Real *x = random_array(ROWS * WIDTH, 1);
    Real alone[WIDTH - FROM], shared[WIDTH - FROM];
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    kernel_sum_columns(x + FROM, WIDTH, alone, ROWS, WIDTH - FROM);
    kernel_sum_columns_parallel(parallel, x + FROM, WIDTH, shared, ROWS, WIDTH - FROM);
    parallel_destroy(parallel);
    cr_assert_arr_eq(shared, alone, sizeof(alone));
}

Test(blas, multiplies_in_each_orientation) {
    enum { M = 5, N = 7, K = 3 };
    AUTO_FREE Real *a = random_array(M * K, 3);
    AUTO_FREE Real *b = random_array(K * N, 4);
    Real a_turned[K * M], b_turned[N * K];
    for (int i = 0; i < M; i++) {
        for (int k = 0; k < K; k++) {
            a_turned[k * M + i] = a[i * K + k];
        }
    }
    for (int k = 0; k < K; k++) {
        for (int j = 0; j < N; j++) {
            b_turned[j * K + k] = b[k * N + j];
        }
    }
    for (int flags = 0; flags < 4; flags++) {
        int turn_a = flags & 1, turn_b = flags >> 1;
        Real c[M * N];
        kernel_fill(c, M * N, 1);
        blas_gemm(turn_a, turn_b, M, N, K, 2, turn_a ? a_turned : a, turn_a ? M : K,
                  turn_b ? b_turned : b, turn_b ? K : N, 3, c, N);
        for (int i = 0; i < M; i++) {
            for (int j = 0; j < N; j++) {
                double sum = 3;
                for (int k = 0; k < K; k++) {
                    sum += 2 * (double)a[i * K + k] * (double)b[k * N + j];
                }
                assert_near((double)c[i * N + j], sum, 10 * REAL_EPSILON);
            }
        }
    }
}

Test(blas, wants_a_core_that_it_knows) {
    const char *wanted = blas_core_wanted();
    cr_assert(wanted == NULL || strcmp(wanted, "SKYLAKEX") == 0 || strcmp(wanted, "HASWELL") == 0);
    cr_assert_not_null(blas_core_in_use());
    blas_set_threads(1);
    cr_assert_eq(blas_threads(), 1);
}
