#include "server/routes/spread.h"
#include <criterion/criterion.h>
#include <math.h>

// Tables of Student's t: two-sided 5 % and 1 %.
Test(spread, p_is_students) {
    static const struct {
        double t, degrees, p;
    } known[] = {{12.7062, 1, 0.05}, {4.30265, 2, 0.05},  {2.77645, 4, 0.05}, {2.22814, 10, 0.05},
                 {9.92484, 2, 0.01}, {2.84534, 20, 0.01}, {0, 5, 1},          {1.95996, 1e6, 0.05}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        cr_assert_float_eq(spread_p(known[i].t, known[i].degrees), known[i].p, 2e-5, "t %g, %g",
                           known[i].t, known[i].degrees);
}

Test(spread, pairs_runs_of_one_seed) {
    const SpreadRun from[] = {{1, 10}, {2, 20}, {3, 30}}, to[] = {{3, 32}, {1, 11}, {2, 21.5}};
    Spread spread;
    spread_compare(from, 3, to, 3, &spread);
    cr_assert(spread.paired);
    cr_assert_float_eq(spread.difference, 1.5, 1e-12);
    // differences 1, 1.5, 2: standard deviation 0.5, t = 1.5 / (0.5 / √3) = 5.196, 2 degrees
    cr_assert_float_eq(spread.p, 0.0351, 1e-4);
    cr_assert(spread.exceeds);
}

Test(spread, lets_variances_differ_without_pairs) {
    const SpreadRun from[] = {{1, 10}, {2, 20}, {3, 30}}, to[] = {{4, 11}, {5, 21.5}, {6, 32}};
    Spread spread;
    spread_compare(from, 3, to, 3, &spread);
    cr_assert_not(spread.paired);
    cr_assert_not(spread.exceeds);
    // variances 100 and 110.25: t = 1.5 / √70.083 = 0.179, 3.99 degrees
    cr_assert_float_eq(spread.p, 0.8665, 1e-3);
}

Test(spread, needs_three_runs_where_nothing_scatters) {
    const SpreadRun from[] = {{1, 0.5}, {2, 0.5}, {3, 0.5}}, to[] = {{1, 1}, {2, 1}, {3, 1}};
    Spread spread;
    spread_compare(from, 3, to, 3, &spread);
    cr_assert(spread.exceeds && isnan(spread.p));
    spread_compare(from, 2, to, 2, &spread);
    cr_assert_not(spread.exceeds);
    spread_compare(from, 3, from, 3, &spread);
    cr_assert_not(spread.exceeds);
}
