// When a worker rests for predictions, and that it does.
#include <pthread.h>
#include "server/jobs/courtesy.h"
#include "tests/server/jobs/workshop.h"

WORKSHOP_WORKER

enum { MILLISECOND = 1000000, LONG_AGO = 1000 * MILLISECOND };

static void ask(const Courtesy *courtesy, int predictions) {
    for (int i = 0; i < predictions; i++)
        courtesy_ask(courtesy);
}

Test(courtesy, is_shown_only_where_predictions_were_asked_for) {
    Courtesy courtesy;
    CourtesyWatch watch;
    cr_assert_eq(courtesy_create(&courtesy), OK);
    ask(&courtesy, 7); // before the worker came
    courtesy_watch(dup(courtesy.descriptor), &watch);
    cr_assert_not_null(watch.page);
    int64_t now = LONG_AGO;
    cr_assert_eq(courtesy_due(&watch, now), 0);

    ask(&courtesy, 1);
    now += 10 * MILLISECOND;
    int64_t rest = courtesy_due(&watch, now);
    cr_assert_gt(rest, 0);
    cr_assert_leq(rest, MILLISECOND, "one prediction is soon answered");
    cr_assert_eq(courtesy_due(&watch, now + rest + 10 * MILLISECOND), 0, "and was");
    courtesy_destroy(&courtesy);
}

Test(courtesy, leaves_training_a_quarter_of_its_time) {
    Courtesy courtesy;
    CourtesyWatch watch;
    cr_assert_eq(courtesy_create(&courtesy), OK);
    const int64_t steps[] = {2000, 100000, MILLISECOND, 20 * MILLISECOND};
    for (size_t i = 0; i < ARRAY_LENGTH(steps); i++) {
        int64_t now = LONG_AGO, trained = 0, rested = 0;
        courtesy_watch(dup(courtesy.descriptor), &watch);
        watch.trains_since = now;
        while (trained < LONG_AGO) {
            ask(&courtesy, 100);
            now += steps[i];
            trained += steps[i];
            int64_t rest = courtesy_due(&watch, now);
            cr_assert_leq(rest, 5 * MILLISECOND, "a rest is short");
            now += rest;
            rested += rest;
        }
        cr_assert_gt(rested, 0);
        cr_assert_leq(rested, 3 * trained, "steps of %lld ns", (long long)steps[i]);
        cr_assert(steps[i] > MILLISECOND || rested > 2 * trained, "steps of %lld ns: %lld",
                  (long long)steps[i], (long long)rested);
    }
    courtesy_destroy(&courtesy);
}

Test(courtesy, says_whether_predictions_were_asked_for_lately) {
    Courtesy courtesy;
    CourtesyWatch watch;
    cr_assert_eq(courtesy_create(&courtesy), OK);
    courtesy_watch(dup(courtesy.descriptor), &watch);
    cr_assert_not(courtesy_rest(&watch));
    ask(&courtesy, 1);
    cr_assert(courtesy_rest(&watch));
    cr_assert(courtesy_rest(&watch), "for a while");
    int64_t end = time_monotonic() + 1000;
    while (courtesy_rest(&watch))
        cr_assert_lt(time_monotonic(), end, "not for ever");
    courtesy_destroy(&courtesy);
}

Test(courtesy, is_not_missed_without_a_page) {
    CourtesyWatch watch;
    courtesy_watch(-1, &watch);
    cr_assert_null(watch.page);
    cr_assert_not(courtesy_rest(&watch));
    courtesy_destroy(&(Courtesy){0});
}

static atomic_bool asking;

static void *ask_always(void *pool) {
    while (atomic_load(&asking)) {
        pool_give_way(pool);
        usleep(100);
    }
    return NULL;
}

// How long a job takes, in milliseconds, and the checksum of its model.
static int64_t train(Workshop *workshop, char ret_sha256[65]) {
    char id[ID_TEXT];
    ModelRow model;
    int64_t began = time_monotonic();
    workshop_queue(workshop, 60000, "", "", id);
    JobRow row = workshop_wait(workshop, id, "succeeded failed");
    int64_t took = time_monotonic() - began;
    cr_assert_str_eq(row.status, "succeeded");
    cr_assert_eq(models_get(workshop->store, row.model, &model), OK);
    snprintf(ret_sha256, 65, "%s", model.sha256);
    model_row_finish(&model);
    job_row_finish(&row);
    return took;
}

Test(courtesy, is_shown_by_a_worker) {
    Workshop workshop;
    pthread_t thread;
    char first[65], second[65];
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    int64_t alone = train(&workshop, first);
    atomic_store(&asking, true);
    cr_assert_eq(pthread_create(&thread, NULL, ask_always, workshop.pool), 0);
    int64_t beside = train(&workshop, second);
    atomic_store(&asking, false);
    pthread_join(thread, NULL);
    cr_assert_gt((double)beside, 1.5 * (double)alone, "%lld ms alone, %lld beside predictions",
                 (long long)alone, (long long)beside);
    cr_assert_str_eq(first, second, "the same bits");
    workshop_close(&workshop);
}
