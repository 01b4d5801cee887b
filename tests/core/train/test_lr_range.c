#include "core/train/lr_range.h"
#include <math.h>
#include "tests/core/sample.h"
#include "tests/support/near.h"

TestSuite(lr_range, .init = sample_begin, .fini = sample_end);

// A loss that stands at 2, falls by `fall` around the rate 10⁻³ and rises from 10⁻¹ on; with noise.
static void take_curve(LrRange *range, double fall, double noise) {
    const LrRangeParams *params = range->params;
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    for (int64_t s = 0; s < params->steps; s++) {
        double rate =
            params->from * pow(params->to / params->from, (double)s / (double)(params->steps - 1));
        double loss = 2 - fall / (1 + exp(-3 * (log10(rate) + 3))) +
                      (rate > 0.1 ? pow(rate / 0.1, 2) - 1 : 0) + noise * rng_normal(&rng);
        if (lr_range_take(range, rate, loss))
            return;
    }
}

Test(lr_range, suggests_the_rate_of_the_steepest_fall) {
    static const LrRangeParams params = {1e-7, 10, 400};
    LrRange range;
    LrRangeResult result;
    cr_assert_eq(lr_range_init(&range, &params), OK);
    take_curve(&range, 1, 0.02);
    lr_range_result(&range, &result);
    cr_assert_float_eq(log10(result.suggested), -3, 0.25, "%g", result.suggested);
    cr_assert_lt(result.slope, 0);
    cr_assert(result.minimum_rate > result.suggested && result.minimum_rate < 0.2, "%g",
              result.minimum_rate);
    cr_assert(range.broke_away);
    cr_assert_lt(range.count, 400);
    cr_assert(result.broke_away_at > 0.1 && result.broke_away_at < 10, "%g", result.broke_away_at);
    lr_range_finish(&range);
}

Test(lr_range, suggests_nothing_where_the_loss_never_falls) {
    static const LrRangeParams params = {1e-7, 10, 200};
    LrRange range;
    LrRangeResult result;
    cr_assert_eq(lr_range_init(&range, &params), OK);
    take_curve(&range, 0, 0.02);
    lr_range_result(&range, &result);
    cr_assert(isnan(result.suggested), "%g", result.suggested);
    lr_range_finish(&range);
}

Test(lr_range, ends_at_what_is_no_number) {
    static const LrRangeParams params = {1e-3, 1, 50};
    LrRange range;
    LrRangeResult result;
    cr_assert_eq(lr_range_init(&range, &params), OK);
    cr_assert_not(lr_range_take(&range, 1e-3, 1));
    cr_assert(lr_range_take(&range, 2e-3, NAN));
    lr_range_result(&range, &result);
    assert_near(result.broke_away_at, 2e-3, 1e-12);
    lr_range_finish(&range);
}

typedef struct Seen {
    int steps, epochs;
    double first, last;
} Seen;

static void see(void *context, const TrainEvent *event) {
    Seen *seen = context;
    if (event->kind == TRAIN_EPOCH)
        seen->epochs++;
    if (event->kind != TRAIN_STEP)
        return;
    if (seen->steps++ == 0)
        seen->first = event->learning_rate;
    seen->last = event->learning_rate;
}

Test(lr_range, sweeps_the_rate_over_its_own_steps) {
    SampleData data = sample_blobs(60, 3);
    Dataset *dataset = sample_dataset(&data);
    Job *job = sample_job(
        dataset,
        "{\"kind\": \"lr_range\", \"lr_range\": {\"from\": 1e-6, \"to\": 1e-2, \"steps\": 41},"
        " \"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}]}, \"training\":"
        " {\"epochs\": 500, \"schedule\": {\"type\": \"cosine\", \"warmup_steps\": 9},"
        " \"early_stopping\": {\"patience\": 1}, \"phases\": [{\"epochs\": 3}]}}");
    Trainer *trainer;
    Seen seen = {0};
    const TrainerHooks hooks = {.context = &seen, .event = see};
    cr_assert_not_null(job_lr_range(job));
    cr_assert_eq(job_steps(job), 41);
    cr_assert_eq(job_rows(job)->validation_count, 0);
    cr_assert_eq(trainer_create(job, &hooks, &trainer), OK);
    cr_assert_eq(trainer_run(trainer), OK);
    cr_assert_eq(seen.steps, 41);
    assert_near(seen.first / 1e-6, 1, 1e-9);
    assert_near(seen.last / 1e-2, 1, 1e-9);
    trainer_destroy(trainer);
    job_destroy(job);
    dataset_close(dataset);
}

Test(lr_range, refuses_other_kinds_and_ranges_that_do_not_rise) {
    SampleData data = sample_blobs(60, 3);
    Dataset *dataset = sample_dataset(&data);
    static const struct {
        const char *members, *pointer;
    } wrong[] = {
        {"\"kind\": \"tune\"", "/kind"},
        {"\"lr_range\": {}", "/lr_range"},
        {"\"kind\": \"lr_range\", \"lr_range\": {\"from\": 1, \"to\": 0.1}", "/lr_range/to"},
        {"\"kind\": \"lr_range\", \"lr_range\": {\"step\": 50}", "/lr_range/step"}};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        char spec[400];
        Issues issues;
        Job *job = NULL;
        issues_init(&issues);
        snprintf(spec, sizeof spec,
                 "{%s, \"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 3}]}}",
                 wrong[i].members);
        cr_assert_eq(job_create(json_value(&sample_arena, spec), dataset, 1, &issues, &job),
                     ERR_INVALID);
        cr_assert_str_eq(issues.items[0].pointer, wrong[i].pointer);
        issues_finish(&issues);
    }
    dataset_close(dataset);
}
