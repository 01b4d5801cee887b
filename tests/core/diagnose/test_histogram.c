#include <math.h>
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/diagnose/histogram.h"
#include "tests/support/near.h"

static int64_t sum_of(const Histogram *histogram) {
    int64_t sum = 0;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        sum += histogram->counts[i];
    return sum;
}

Test(histogram, counts_every_number_of_a_small_array) {
    const Real x[] = {-1, -1, 0, (Real)NAN, 3, (Real)INFINITY, 2.95f};
    Histogram histogram;
    histogram_take(x, 7, 2, &histogram);
    assert_near(histogram.least, -1, 0);
    assert_near(histogram.greatest, 3, 0);
    cr_assert_eq(histogram.counted, 7, "five finite ones and two zeros");
    cr_assert_eq(sum_of(&histogram), 7);
    cr_assert_eq(histogram.counts[0], 2);
    cr_assert_eq(histogram.counts[8], 3, "0 begins the ninth of 32 bins of an eighth");
    cr_assert_eq(histogram.counts[31], 2);
}

Test(histogram, has_nothing_of_nothing) {
    const Real bad[] = {(Real)NAN, (Real)-INFINITY};
    Histogram histogram;
    histogram_take(bad, 2, 0, &histogram);
    cr_assert_eq(histogram.counted, 0);
    histogram_take(NULL, 0, 0, &histogram);
    cr_assert_eq(histogram.counted, 0);
}

Test(histogram, puts_equal_numbers_into_one_bin_of_a_range_around_them) {
    const Real x[] = {5, 5, 5};
    Histogram histogram;
    histogram_take(x, 3, 0, &histogram);
    cr_assert_lt(histogram.least, 5);
    cr_assert_gt(histogram.greatest, 5);
    cr_assert_eq(histogram.counts[HISTOGRAM_BINS / 2] + histogram.counts[HISTOGRAM_BINS / 2 - 1],
                 3);
}

// A matrix whose columns differ: a sample that kept step with the rows would see only some of them.
Test(histogram, samples_all_columns_of_a_large_matrix_alike) {
    enum { ROWS = 4096, COLUMNS = 32 };
    AUTO_FREE Real *x = memory_array(ROWS * COLUMNS, sizeof(Real));
    Histogram histogram;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        x[i] = (Real)(i % COLUMNS);
    histogram_take(x, ROWS * COLUMNS, 0, &histogram);
    cr_assert_eq(histogram.counted, HISTOGRAM_SAMPLE);
    for (int i = 0; i < HISTOGRAM_BINS; i++) {
        cr_assert_geq(histogram.counts[i], 40, "bin %d: %d", i, (int)histogram.counts[i]);
        cr_assert_leq(histogram.counts[i], 90, "bin %d: %d", i, (int)histogram.counts[i]);
    }
}

Test(histogram, keeps_few_steps_of_a_run_of_any_length) {
    const int64_t lengths[] = {1, 10, 100, 1000, 12345, 1000000};
    for (size_t l = 0; l < ARRAY_LENGTH(lengths); l++) {
        int64_t taken = 0, kept = 0;
        cr_assert(histogram_due(1, lengths[l]));
        for (int64_t step = 1; step <= lengths[l]; step++) {
            int64_t interval = histogram_interval(step, lengths[l]);
            taken += histogram_due(step, lengths[l]);
            kept = (step - 1) / interval + 1 > kept ? (step - 1) / interval + 1 : kept;
        }
        cr_assert_leq(kept, HISTOGRAM_KEPT);
        cr_assert_leq(taken, 100, "of %lld steps %lld were due", (long long)lengths[l],
                      (long long)taken);
    }
    int64_t last = histogram_interval(1000, 1000);
    cr_assert_geq(999 / last + 1, HISTOGRAM_KEPT / 2, "and not too few");
}
