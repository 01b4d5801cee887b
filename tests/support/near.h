// Comparing numbers: one place that says what was expected and what came.
#pragma once
#include <criterion/criterion.h>
#include <math.h>

// |actual − expected| ≤ tolerance · max(1, |expected|); a NaN is near nothing.
#define assert_near(actual, expected, tolerance)                                                   \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        double bound_ = (tolerance)*fmax(1, fabs(expected_));                                      \
        cr_assert(fabs(actual_ - expected_) <= bound_, "%s is %.17g, not %.17g ± %.3g", #actual,   \
                  actual_, expected_, bound_);                                                     \
    } while (0)

// The same for the elements of arrays of any real type.
#define assert_all_near(actual, expected, count, tolerance)                                        \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < (size_t)(count); i_++) {                                          \
            double a_ = (double)(actual)[i_], e_ = (double)(expected)[i_];                         \
            double bound_ = (tolerance)*fmax(1, fabs(e_));                                         \
            cr_assert(fabs(a_ - e_) <= bound_, "%s[%zu] is %.17g, not %.17g ± %.3g", #actual, i_,  \
                      a_, e_, bound_);                                                             \
        }                                                                                          \
    } while (0)
