// The exponential functions against the C library's in double, all over their ranges.
#include <criterion/criterion.h>
#include "core/activations/real_math.h"

// Whether a number is within `units` relative epsilons of the truth, or both are next to nothing.
static void assert_close(const char *name, double x, double actual, double truth, double units) {
    double bound = units * REAL_EPSILON * fabs(truth) + 1.3e-38;
    cr_assert(fabs(actual - truth) <= bound, "%s(%.9g) is %.9g, not %.9g: %.2f epsilons off", name,
              x, actual, truth, fabs(actual - truth) / fabs(truth) / REAL_EPSILON);
}

Test(real_math, agrees_with_the_c_library) {
    for (double size = 1e-6; size < 120; size *= 1.0003) {
        for (int sign = -1; sign <= 1; sign += 2) {
            Real x = (Real)(sign * size), negative = -real_abs(x), density;
            double exact = (double)x, below = (double)negative;
            assert_close("exp", below, (double)real_exp_negative(negative), exp(below), 2);
            assert_close("expm1", below, (double)real_expm1_negative(negative), expm1(below), 2);
            assert_close("tanh", exact, (double)real_tanh(x), tanh(exact), 4);
            assert_close("sigmoid", exact, (double)real_sigmoid(x), 1 / (1 + exp(-exact)), 4);
            if (size <= 1) {
                Real unit = real_abs(x);
                assert_close("log1p", -below, (double)real_log1p_unit(unit), log1p(-below), 4);
            }
            // Far out, the rounding of x² / 2 is in the exponent: its size times as many units.
            double far = 4 + exact * exact / 2;
            assert_close("normal", exact, (double)real_normal(x, &density),
                         erfc(-exact * M_SQRT1_2) / 2, far);
            assert_close("density", exact, (double)density,
                         M_2_SQRTPI * M_SQRT1_2 / 2 * exp(-exact * exact / 2), far);
        }
    }
}

Test(real_math, ends_are_exact) {
    Real density;
    cr_assert_eq(real_exp_negative(0), 1);
    cr_assert_eq(real_exp_negative(-INFINITY), 0);
    cr_assert_eq(real_expm1_negative(0), 0);
    cr_assert_eq(real_expm1_negative(-INFINITY), -1);
    cr_assert_eq(real_tanh(0), 0);
    cr_assert_eq(real_tanh(INFINITY), 1);
    cr_assert_eq(real_tanh(-INFINITY), -1);
    cr_assert_eq(real_sigmoid(INFINITY), 1);
    cr_assert_eq(real_sigmoid(-INFINITY), 0);
    cr_assert_eq(real_log1p_unit(0), 0);
    cr_assert_eq(real_normal(INFINITY, &density), 1);
    cr_assert_eq(real_normal(-INFINITY, &density), 0);
    cr_assert_eq(density, 0);
}
