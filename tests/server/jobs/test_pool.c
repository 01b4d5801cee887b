// Jobs through real worker processes: success, failure, death, cancellation, draining.
#include "tests/server/jobs/workshop.h"

WORKSHOP_WORKER

static bool there(const Workshop *workshop, const char *folder, const char *name,
                  const char *ending) {
    char path[192];
    snprintf(path, sizeof path, "%s/%s/%s%s", workshop->scratch.path, folder, name, ending);
    return access(path, F_OK) == 0;
}

static void expect_weights_equal(Workshop *workshop, const char *model, const char *other) {
    ModelRow a, b;
    cr_assert_eq(models_get(workshop->store, model, &a), OK);
    cr_assert_eq(models_get(workshop->store, other, &b), OK);
    cr_expect_str_eq(a.sha256, b.sha256);
    model_row_finish(&a);
    model_row_finish(&b);
}

Test(pool, trains_a_job) {
    Workshop workshop;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    int64_t began = time_monotonic();
    workshop_queue(&workshop, 400, "", "", id);
    JobRow row = workshop_wait(&workshop, id, "succeeded failed");
    cr_expect_lt(time_monotonic() - began, 1500);
    cr_assert_str_eq(row.status, "succeeded", "%s", row.error != NULL ? row.error : "");
    cr_expect_eq(row.attempt, 1);
    cr_expect(there(&workshop, "models", row.model, ".bpa"));
    cr_expect_not(there(&workshop, "checkpoints", id, ".a"));
    cr_expect_not_null(strstr(row.progress, "\"step\":400"), "%s", row.progress);
    cr_expect_not_null(strstr(row.metrics, "\"val_accuracy\":"), "%s", row.metrics);
    cr_expect_not_null(strstr(row.metrics, "\"test_accuracy\":"), "%s", row.metrics);
    cr_expect_not_null(strstr(row.best, "\"epoch\":"), "%s", row.best);
    cr_expect_not_null(strstr(row.diagnosis, "\"verdict\":"), "%s", row.diagnosis);
    job_row_finish(&row);
    workshop_close(&workshop);
}

static int rows_count(void *context, const Record *record) {
    int64_t *expected = context; // every step once, in order: the next one's number
    (void)record;
    ++*expected;
    return OK;
}

Test(pool, records_every_step_once) {
    Workshop workshop;
    char id[ID_TEXT];
    JsonOut out;
    Document *document = NULL;
    Issues issues;
    SeriesQuery query = {.names = "train_loss"};
    int64_t step = 0, findings = 0;
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    workshop_queue(&workshop, 10000, "", "", id);
    JobRow row = workshop_wait(&workshop, id, "succeeded");
    job_row_finish(&row);
    json_init(&out);
    issues_init(&issues);
    cr_assert_eq(series_write_metrics(workshop.store, id, &query, &out), OK);
    cr_assert_eq(document_parse(text_string(&out.text), out.text.length, NULL, &issues, &document),
                 OK);
    Value series = value_member(value_member(document_root(document), "series"), "train_loss");
    VALUE_FOREACH(item, value_member(series, "step"))
    cr_assert_eq(value_number(item), (double)++step);
    cr_expect_eq(step, 10000);
    cr_expect_eq(records_since(workshop.store, id, "end", 0, -1, rows_count, &findings), OK);
    cr_expect_eq(findings, 1);
    document_destroy(document);
    json_finish(&out);
    issues_finish(&issues);
    workshop_close(&workshop);
}

Test(pool, a_killed_workers_job_ends_in_the_same_bits) {
    Workshop workshop;
    char alone[ID_TEXT], killed[ID_TEXT];
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    workshop_queue(&workshop, 400000, ", \"checkpoint_seconds\": 0.1", "", alone);
    JobRow first = workshop_wait(&workshop, alone, "succeeded");
    workshop_queue(&workshop, 400000, ", \"checkpoint_seconds\": 0.1", "", killed);
    for (int i = 0; i < 2; i++) {
        usleep(300000);
        pid_t pid = workshop_worker();
        if (pid > 0)
            kill(pid, SIGKILL);
    }
    JobRow second = workshop_wait(&workshop, killed, "succeeded failed");
    cr_assert_str_eq(second.status, "succeeded", "%s", second.error != NULL ? second.error : "");
    cr_expect_gt(second.attempt, 1, "it was never killed");
    expect_weights_equal(&workshop, first.model, second.model);
    job_row_finish(&first);
    job_row_finish(&second);
    workshop_close(&workshop);
}

Test(pool, a_worker_that_dies_thrice_at_one_step_fails_its_job) {
    Workshop workshop;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    // Its dataset is a folder: the worker says "io" each time, which another try might mend.
    char command[256];
    workshop_queue(&workshop, 400, "", "", id);
    snprintf(command, sizeof command, "cd %s/datasets && rm ds_1.bpa && mkdir ds_1.bpa",
             workshop.scratch.path);
    cr_assert_eq(system(command), 0);
    workshop_run(&workshop);
    JobRow row = workshop_wait(&workshop, id, "failed");
    cr_expect(row.attempt == 3 || strstr(row.error, "damaged") != NULL, "%d %s", row.attempt,
              row.error);
    cr_expect_not_null(strstr(row.error, "\"status\":500"), "%s", row.error);
    job_row_finish(&row);
    workshop_close(&workshop);
}

Test(pool, a_running_job_is_cancelled) {
    Workshop workshop;
    char id[ID_TEXT];
    bool running = false;
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    workshop_queue(&workshop, 100000000, "", "", id);
    JobRow row = workshop_wait(&workshop, id, "running");
    job_row_finish(&row);
    usleep(300000);
    cr_assert_eq(jobs_wish(workshop.store, id, "cancel", &running), OK);
    cr_expect(running);
    pool_wish(workshop.pool, id);
    row = workshop_wait(&workshop, id, "cancelled");
    job_row_finish(&row);
    cr_expect_not(there(&workshop, "checkpoints", id, ".a"));
    workshop_close(&workshop);
}

Test(pool, max_seconds_end_a_job) {
    Workshop workshop;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    workshop_queue(&workshop, 100000000, "", ", \"max_seconds\": 0.5", id);
    JobRow row = workshop_wait(&workshop, id, "failed");
    cr_expect_not_null(strstr(row.error, "time_limit"), "%s", row.error);
    job_row_finish(&row);
    workshop_close(&workshop);
}

Test(pool, a_drain_puts_jobs_back_with_their_checkpoint) {
    Workshop workshop;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    workshop_run(&workshop);
    workshop_queue(&workshop, 400000, "", "", id);
    JobRow row = workshop_wait(&workshop, id, "running");
    job_row_finish(&row);
    usleep(100000);
    int64_t began = time_monotonic();
    pool_stop(workshop.pool);
    workshop.pool = NULL;
    cr_expect_lt(time_monotonic() - began, 3000);
    cr_assert_eq(jobs_get(workshop.store, id, &row), OK);
    cr_expect_str_eq(row.status, "queued");
    job_row_finish(&row);
    cr_expect(there(&workshop, "checkpoints", id, ".a") ||
              there(&workshop, "checkpoints", id, ".b"));
    workshop_run(&workshop);
    row = workshop_wait(&workshop, id, "succeeded failed");
    cr_expect_str_eq(row.status, "succeeded");
    cr_expect_eq(row.attempt, 2);
    job_row_finish(&row);
    workshop_close(&workshop);
}

static void count_wake(void *context) {
    atomic_fetch_add((atomic_int *)context, 1);
}

Test(pool, wakes_who_watches) {
    Workshop workshop;
    char id[ID_TEXT];
    atomic_int wakes = 0, others = 0;
    LiveWatch *watch = NULL, *other = NULL;
    workshop_open(&workshop, 1);
    workshop_queue(&workshop, 400, "", "", id);
    workshop_run(&workshop);
    cr_assert_eq(live_subscribe(workshop.pool, id, count_wake, &wakes, &watch), OK);
    cr_assert_eq(live_subscribe(workshop.pool, "job_9", count_wake, &others, &other), OK);
    JobRow row = workshop_wait(&workshop, id, "succeeded");
    job_row_finish(&row);
    live_unsubscribe(workshop.pool, watch);
    int before = atomic_load(&wakes);
    live_wake(workshop.pool, id);
    cr_expect_geq(before, 1);
    cr_expect_eq(atomic_load(&wakes), before);
    cr_expect_eq(atomic_load(&others), 0);
    live_unsubscribe(workshop.pool, other);
    workshop_close(&workshop);
}

Test(pool, runs_several_jobs_at_once) {
    Workshop workshop;
    char ids[6][ID_TEXT];
    workshop_open(&workshop, 2);
    workshop_run(&workshop);
    for (int i = 0; i < 6; i++)
        workshop_queue(&workshop, 400, "", "", ids[i]);
    for (int i = 0; i < 6; i++) {
        JobRow row = workshop_wait(&workshop, ids[i], "succeeded");
        cr_expect_eq(row.attempt, 1);
        job_row_finish(&row);
    }
    cr_expect_leq(pool_running(workshop.pool), 2);
    workshop_close(&workshop);
}
