// Sums of squares against sums in double, also where a Real is too narrow for the squares.
#include "core/optimizers/squares.h"
#include <criterion/criterion.h>
#include "core/base/rng.h"
#include "tests/support/near.h"

static double expected(const Real *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

static void fill(Real *x, size_t n, Real value) {
    for (size_t i = 0; i < n; i++)
        x[i] = value;
}

Test(squares, are_summed_whatever_their_number_and_size) {
    static const double scales[] = {1, 1e-30, 1e-19, 1e18, 1e30};
    for (size_t s = 0; s < sizeof(scales) / sizeof(scales[0]); s++)
        for (size_t n = 1; n <= SQUARES_BLOCK; n++) {
            Real x[SQUARES_BLOCK];
            Rng rng = rng_make(1, RNG_PROBE, n, 0);
            for (size_t i = 0; i < n; i++)
                x[i] = (Real)(scales[s] * rng_normal(&rng));
            double sum = expected(x, n);
            cr_assert_float_eq(squares_of_block(x, n) / sum, 1, 20 * REAL_EPSILON,
                               "%zu numbers of about %g", n, scales[s]);
        }
}

Test(squares, of_zeros_are_zero_and_of_what_is_no_number_none) {
    Real x[SQUARES_BLOCK];
    fill(x, SQUARES_BLOCK, 0);
    cr_assert_eq(squares_of_block(x, SQUARES_BLOCK), 0);
    for (size_t at = 0; at < SQUARES_BLOCK; at += 73) {
        fill(x, SQUARES_BLOCK, 1);
        x[at] = (Real)INFINITY;
        cr_assert_eq(squares_of_block(x, SQUARES_BLOCK), INFINITY);
        x[at] = (Real)NAN;
        cr_assert(isnan(squares_of_block(x, SQUARES_BLOCK)));
    }
}
