#include "core/model/drift.h"
#include <math.h>
#include "core/base/memory.h"
#include "tests/core/sample.h"

TestSuite(drift, .init = sample_begin, .fini = sample_end);

enum { ROWS = 1000, FEATURES = 4 };

// A normal number, one of long tails, a coin that falls one way of ten times, and one that never changes.
static void draw(Rng *rng, double *numbers) {
    numbers[0] = 5 + 2 * rng_normal(rng);
    numbers[1] = exp(rng_normal(rng));
    numbers[2] = rng_uniform(rng) < 0.1;
    numbers[3] = 7;
}

static DriftReference reference(Archive **ret_archive) {
    ArchiveWriter *writer;
    DriftReference reference;
    double *numbers = arena_array(&sample_arena, ROWS * FEATURES, sizeof(double));
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int i = 0; i < ROWS; i++)
        draw(&rng, numbers + i * FEATURES);
    cr_assert_eq(archive_writer_create(sample_directory, "model", &writer), OK);
    cr_assert_eq(drift_save(numbers, ROWS, FEATURES, writer), OK);
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    cr_assert_eq(archive_open(sample_directory, "model", true, ret_archive), OK);
    cr_assert_eq(drift_load(*ret_archive, &reference), OK);
    cr_assert_eq(reference.features, FEATURES);
    cr_assert_eq(reference.rows, ROWS);
    return reference;
}

static bool cries(const DriftReference *reference, const DriftCounts *counts, int feature) {
    DriftTest test;
    drift_test(reference, counts, feature, true, &test);
    return test.outside || test.distribution;
}

Test(drift, does_not_cry_at_rows_from_where_training_came_from) {
    Archive *archive;
    DriftReference from = reference(&archive);
    int alarms = 0, looks = 0;
    for (int run = 0; run < 300; run++) { // single rows, few, and many
        static const int sizes[] = {1, 5, 20, 60, 400};
        Rng rng = rng_make(2, RNG_PROBE, (uint64_t)run, 0);
        DriftCounts counts;
        cr_assert_eq(drift_counts_init(&counts, FEATURES, true), OK);
        for (int i = 0; i < sizes[run % 5]; i++) {
            double numbers[FEATURES];
            draw(&rng, numbers);
            drift_count(&from, numbers, &counts);
        }
        for (int f = 0; f < FEATURES; f++, looks++)
            alarms += cries(&from, &counts, f);
        drift_counts_finish(&counts);
    }
    cr_assert_leq(alarms, 1, "%d of %d", alarms,
                  looks); // 1200 looks at 0.0001 / 4, and at the tails
    archive_close(archive);
}

Test(drift, sees_a_shift_from_twenty_rows_on) {
    Archive *archive;
    DriftReference from = reference(&archive);
    DriftCounts counts;
    Rng rng = rng_make(3, RNG_PROBE, 0, 0);
    cr_assert_eq(drift_counts_init(&counts, FEATURES, true), OK);
    for (int i = 0; i < 40; i++) {
        double numbers[FEATURES];
        draw(&rng, numbers);
        numbers[0] += 4; // two deviations
        drift_count(&from, numbers, &counts);
        if (i == DRIFT_ROWS_MIN - 2)
            cr_assert_not(cries(&from, &counts, 0), "fewer rows prove nothing");
    }
    cr_assert(cries(&from, &counts, 0));
    cr_assert_not(cries(&from, &counts, 1));
    cr_assert_not(cries(&from, &counts, 2));
    drift_counts_finish(&counts);
    archive_close(archive);
}

Test(drift, sees_missing_numbers_and_a_coin_that_changes) {
    Archive *archive;
    DriftReference from = reference(&archive);
    DriftCounts counts;
    Rng rng = rng_make(4, RNG_PROBE, 0, 0);
    cr_assert_eq(drift_counts_init(&counts, FEATURES, true), OK);
    for (int i = 0; i < 200; i++) {
        double numbers[FEATURES];
        draw(&rng, numbers);
        if (i % 2 == 0)
            numbers[0] = NAN;
        numbers[2] = i % 3 != 0;
        drift_count(&from, numbers, &counts);
    }
    cr_assert(cries(&from, &counts, 0));
    cr_assert(cries(&from, &counts, 2));
    drift_counts_finish(&counts);
    archive_close(archive);
}

Test(drift, sees_one_number_far_outside) {
    Archive *archive;
    DriftReference from = reference(&archive);
    DriftCounts counts;
    double width = (double)from.range[1] - (double)from.range[0];
    cr_assert_eq(drift_counts_init(&counts, FEATURES, true), OK);
    drift_count(&from, (double[]){(double)from.range[1] + 2.9 * width, 1, 0, 8}, &counts);
    cr_assert_not(cries(&from, &counts, 0));
    cr_assert_not(cries(&from, &counts, 3), "what never changed has no range");
    drift_count(&from, (double[]){(double)from.range[0] - 3.1 * width, 1, 0, 7}, &counts);
    cr_assert(cries(&from, &counts, 0));
    drift_counts_finish(&counts);
    archive_close(archive);
}

Test(drift, sees_that_what_never_changed_does) {
    Archive *archive;
    DriftReference from = reference(&archive);
    DriftCounts same, above, below;
    cr_assert_eq(drift_counts_init(&same, FEATURES, true), OK);
    cr_assert_eq(drift_counts_init(&above, FEATURES, true), OK);
    cr_assert_eq(drift_counts_init(&below, FEATURES, true), OK);
    for (int i = 0; i < 40; i++) {
        drift_count(&from, (double[]){5, 1, 0, 7}, &same);
        drift_count(&from, (double[]){5, 1, 0, 7.5}, &above);
        drift_count(&from, (double[]){5, 1, 0, 6}, &below);
    }
    cr_assert_not(cries(&from, &same, 3));
    cr_assert(cries(&from, &above, 3));
    cr_assert(cries(&from, &below, 3));
    drift_counts_finish(&same);
    drift_counts_finish(&above);
    drift_counts_finish(&below);
    archive_close(archive);
}

Test(drift, keeps_shares_when_counts_are_halved_and_added) {
    Archive *archive;
    DriftReference from = reference(&archive);
    DriftCounts counts, more;
    Rng rng = rng_make(5, RNG_PROBE, 0, 0);
    cr_assert_eq(drift_counts_init(&counts, FEATURES, true), OK);
    cr_assert_eq(drift_counts_init(&more, FEATURES, true), OK);
    for (int i = 0; i < 400; i++) {
        double numbers[FEATURES];
        draw(&rng, numbers);
        drift_count(&from, numbers, &more);
    }
    drift_counts_add(&counts, &more, FEATURES);
    drift_counts_add(&counts, &more, FEATURES);
    drift_counts_halve(&counts, FEATURES);
    cr_assert_eq(counts.rows, more.rows);
    cr_assert_arr_eq(counts.bins, more.bins, FEATURES * DRIFT_BINS * sizeof *counts.bins);
    drift_counts_finish(&counts);
    drift_counts_finish(&more);
    archive_close(archive);
}
