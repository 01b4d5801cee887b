// The queue and the states of a job.
#include "tests/server/store/scratch.h"
#include <sqlite3.h>
#include <unistd.h>

static void open_with_dataset(Scratch *scratch) {
    scratch_open(scratch);
    scratch_dataset(scratch, "ds_1");
}

static void expect_status(Scratch *scratch, const char *id, const char *status) {
    JobRow row;
    cr_assert_eq(jobs_get(scratch->store, id, &row), OK);
    cr_expect_str_eq(row.status, status, "%s is %s, not %s", id, row.status, status);
    job_row_finish(&row);
}

Test(jobs, a_row_comes_back_as_it_went_in) {
    Scratch scratch;
    JobRow row;
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 3);
    cr_assert_eq(jobs_get(scratch.store, "job_1", &row), OK);
    cr_expect_str_eq(row.name, "a job");
    cr_expect_str_eq(row.spec, "{\"name\":\"a job\"}");
    cr_expect_str_eq(row.dataset, "ds_1");
    cr_expect_eq(row.priority, 3);
    cr_expect_eq(row.queue_position, 1);
    cr_expect_eq(row.last_seq, 1);
    cr_expect_null(row.metrics);
    job_row_finish(&row);
    cr_expect_eq(jobs_get(scratch.store, "job_2", &row), ERR_NOT_FOUND);
    scratch_close(&scratch);
}

Test(jobs, needs_its_dataset) {
    Scratch scratch;
    scratch_open(&scratch);
    JobRow row = scratch_row("job_1", "ds_none", 0);
    cr_expect_eq(jobs_insert(scratch.store, &row, 10), ERR_NOT_FOUND);
    scratch_close(&scratch);
}

Test(jobs, the_queue_is_bounded) {
    Scratch scratch;
    open_with_dataset(&scratch);
    JobRow first = scratch_row("job_1", "ds_1", 0), second = scratch_row("job_2", "ds_1", 0);
    cr_expect_eq(jobs_insert(scratch.store, &first, 1), OK);
    cr_expect_eq(jobs_insert(scratch.store, &second, 1), ERR_TOO_LARGE);
    scratch_close(&scratch);
}

Test(jobs, are_claimed_by_priority_then_age) {
    Scratch scratch;
    char id[ID_TEXT];
    const char *order[] = {"job_3", "job_1", "job_4", "job_2"};
    const int64_t positions[] = {2, 4, 1, 3}; // of job_1 … job_4
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    scratch_job(&scratch, "job_2", -1);
    scratch_job(&scratch, "job_3", 5);
    scratch_job(&scratch, "job_4", 0);
    for (int i = 0; i < 4; i++) {
        JobRow row;
        snprintf(id, sizeof id, "job_%d", i + 1);
        cr_assert_eq(jobs_get(scratch.store, id, &row), OK);
        cr_expect_eq(row.queue_position, positions[i], "%s", id);
        job_row_finish(&row);
    }
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(scratch_claim(&scratch, id), 1);
        cr_expect_str_eq(id, order[i]);
    }
    JobRow row;
    cr_expect_eq(jobs_claim(scratch.store, 64, &row), ERR_NOT_FOUND);
    scratch_close(&scratch);
}

Test(jobs, a_wide_job_is_waited_for_not_overtaken) {
    Scratch scratch;
    JobRow wide = scratch_row("job_1", "ds_1", 0), claimed;
    wide.threads = 4;
    open_with_dataset(&scratch);
    cr_assert_eq(jobs_insert(scratch.store, &wide, 10), OK);
    scratch_job(&scratch, "job_2", 0);
    cr_expect_eq(jobs_claim(scratch.store, 3, &claimed), ERR_NOT_FOUND);
    cr_assert_eq(jobs_claim(scratch.store, 4, &claimed), OK);
    cr_expect_str_eq(claimed.id, "job_1");
    job_row_finish(&claimed);
    scratch_close(&scratch);
}

Test(jobs, an_old_attempt_changes_nothing) {
    Scratch scratch;
    char id[ID_TEXT];
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    int first = scratch_claim(&scratch, id);
    cr_assert_eq(jobs_requeue(scratch.store, id, first, 0), OK);
    int second = scratch_claim(&scratch, id);
    cr_expect_eq(second, first + 1);
    Record record = {.kind = "finding", .body = "{}", .length = 2};
    bool failed;
    cr_expect_eq(jobs_progress(scratch.store, id, first, 0, "{}", NULL, NULL), ERR_CONFLICT);
    cr_expect_eq(jobs_requeue(scratch.store, id, first, 0), ERR_CONFLICT);
    cr_expect_eq(jobs_end(scratch.store, id, first, "failed", "{}", NULL), ERR_CONFLICT);
    const JobDeath death = {0, true, "{}", "{}", NULL};
    cr_expect_eq(jobs_worker_died(scratch.store, id, first, 0, &death, &failed), ERR_CONFLICT);
    cr_expect_eq(records_append(scratch.store, id, first, &record, 1), ERR_CONFLICT);
    cr_expect_eq(records_forget_after(scratch.store, id, first, 0), ERR_CONFLICT);
    expect_status(&scratch, id, "running");
    cr_expect_eq(jobs_progress(scratch.store, id, second, 0, "{\"step\":1}", NULL, NULL), OK);
    scratch_close(&scratch);
}

Test(jobs, success_makes_the_model_in_one_step) {
    Scratch scratch;
    char id[ID_TEXT];
    JobRow row;
    ModelRow model = {.id = "mdl_1",
                      .job = "job_1",
                      .name = (char *)"a job",
                      .spec = (char *)"{}",
                      .input_shape = (char *)"[4]",
                      .metrics = (char *)"{}",
                      .parameters = 7,
                      .bytes = 9,
                      .created_at = 2,
                      .sha256 = "ab"};
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    int attempt = scratch_claim(&scratch, id);
    cr_assert_eq(jobs_succeed(scratch.store, id, attempt, "{\"step\":9}", "{\"val_loss\":1}", NULL,
                              "{}", "{\"matrix\":[]}", &model),
                 OK);
    char *confusion;
    cr_assert_eq(confusions_get(scratch.store, id, &confusion), OK);
    cr_expect_str_eq(confusion, "{\"matrix\":[]}");
    memory_free(confusion);
    cr_expect_eq(confusions_get(scratch.store, "job_2", &confusion), ERR_NOT_FOUND);
    cr_assert_eq(jobs_get(scratch.store, id, &row), OK);
    cr_expect_str_eq(row.status, "succeeded");
    cr_expect_str_eq(row.model, "mdl_1");
    cr_expect_str_eq(row.metrics, "{\"val_loss\":1}");
    cr_expect_gt(row.finished_at, 0);
    job_row_finish(&row);
    cr_assert_eq(models_get(scratch.store, "mdl_1", &model), OK);
    cr_expect_eq(model.parameters, 7);
    cr_expect_null(model.classes);
    model_row_finish(&model);
    cr_expect_eq(models_delete(scratch.store, "mdl_1"), OK);
    cr_expect_eq(models_delete(scratch.store, "mdl_1"), ERR_NOT_FOUND);
    cr_expect_eq(jobs_delete(scratch.store, id), OK);
    cr_expect_eq(confusions_get(scratch.store, id, &confusion), ERR_NOT_FOUND,
                 "it goes with its job");
    scratch_close(&scratch);
}

Test(jobs, the_third_death_at_one_step_fails_the_job) {
    Scratch scratch;
    const struct {
        int64_t step;
        bool exact, fails;
    } deaths[] = {
        {100, false, false},                     // perhaps at 104
        {104, true, false},                      // the second there
        {90, true, false},                       // elsewhere: the first anew
        {90, true, false},   {91, true, false},  // elsewhere
        {91, true, false},   {91, false, false}, // perhaps later: it may be another place
        {93, true, false},   {93, true, true},
    };
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    for (size_t i = 0; i < ARRAY_LENGTH(deaths); i++) {
        JobRow row;
        bool failed = false;
        cr_assert_eq(jobs_recover(scratch.store), OK); // takes the backoff away
        cr_assert_eq(jobs_claim(scratch.store, 1, &row), OK);
        const JobDeath death = {deaths[i].step, deaths[i].exact, "{\"code\":\"worker_died\"}",
                                "{\"title\":\"killed\"}", NULL};
        cr_assert_eq(
            jobs_worker_died(scratch.store, row.id, row.attempt, (int64_t)i, &death, &failed), OK);
        job_row_finish(&row);
        cr_assert_eq(jobs_get(scratch.store, "job_1", &row), OK);
        cr_expect_str_eq(row.interruption, "{\"code\":\"worker_died\"}");
        job_row_finish(&row);
        cr_expect_eq(failed, deaths[i].fails, "death %zu", i);
        if (!failed) {
            cr_expect_eq(jobs_claim(scratch.store, 1, &row), ERR_NOT_FOUND, "no backoff");
            cr_expect_gt(jobs_next_due(scratch.store), 0);
        }
    }
    expect_status(&scratch, "job_1", "failed");
    scratch_close(&scratch);
}

Test(jobs, recovery_puts_running_jobs_back_and_counts_no_death) {
    Scratch scratch;
    char id[ID_TEXT];
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    for (int i = 1; i <= 5; i++) {
        cr_expect_eq(scratch_claim(&scratch, id), i);
        scratch_reopen(&scratch);
        cr_assert_eq(jobs_recover(scratch.store), OK);
        expect_status(&scratch, "job_1", "queued");
    }
    scratch_close(&scratch);
}

Test(jobs, a_cancel_holds_through_a_crash) {
    Scratch scratch;
    char id[ID_TEXT];
    bool running = false;
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    scratch_job(&scratch, "job_2", 0);
    scratch_claim(&scratch, id);
    cr_assert_eq(jobs_wish(scratch.store, "job_1", "cancel", &running), OK);
    cr_expect(running);
    cr_assert_eq(jobs_wish(scratch.store, "job_2", "cancel", &running), OK);
    cr_expect_not(running);
    expect_status(&scratch, "job_2", "cancelled");
    cr_expect_eq(jobs_wish(scratch.store, "job_2", "cancel", &running), ERR_CONFLICT);
    cr_expect_eq(jobs_wish(scratch.store, "job_3", "cancel", &running), ERR_NOT_FOUND);
    scratch_reopen(&scratch);
    cr_assert_eq(jobs_recover(scratch.store), OK);
    expect_status(&scratch, "job_1", "cancelled");
    scratch_close(&scratch);
}

static void set_state(Scratch *scratch, const char *status, const char *wish, int step) {
    char sql[256];
    snprintf(sql, sizeof sql,
             "UPDATE jobs SET status = '%s', wish = '%s', progress = '{\"step\":%d}',"
             " finished_at = IIF('%s' IN ('succeeded', 'failed', 'cancelled'), 1, 0)",
             status, wish, step, status);
    store_close(scratch->store);
    scratch->store = NULL;
    char path[96];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/backpropd.db", scratch->path);
    cr_assert_eq(sqlite3_open(path, &database), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(database));
    sqlite3_close(database);
    cr_assert_eq(store_open(scratch->path, &scratch->store), OK);
}

Test(jobs, each_state_allows_its_wishes) {
    static const char *const wishes[] = {"pause", "resume", "stop", "cancel"};
    // What each wish makes of each state: the status and the wish that stand then; NULL: it is refused.
    static const struct {
        const char *status, *wish;
        int step;
        const char *becomes[4];
    } states[] = {
        {"queued", "", 0, {"paused/", NULL, NULL, "cancelled/"}},
        {"queued", "", 5, {"paused/", NULL, "queued/stop", "cancelled/"}},
        {"queued", "stop", 5, {NULL, NULL, "queued/stop", "cancelled/"}},
        {"running", "", 5, {"running/pause", NULL, "running/stop", "running/cancel"}},
        {"running", "pause", 5, {"running/pause", "running/", "running/stop", "running/cancel"}},
        {"running", "stop", 5, {NULL, NULL, "running/stop", "running/cancel"}},
        {"running", "cancel", 5, {NULL, NULL, NULL, "running/cancel"}},
        {"paused", "", 5, {NULL, "queued/", "queued/stop", "cancelled/"}},
        {"paused", "", 0, {NULL, "queued/", NULL, "cancelled/"}},
        {"succeeded", "", 5, {NULL, NULL, NULL, NULL}},
        {"failed", "", 5, {NULL, NULL, NULL, NULL}},
        {"cancelled", "", 5, {NULL, NULL, NULL, NULL}},
    };
    Scratch scratch;
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        for (size_t w = 0; w < ARRAY_LENGTH(wishes); w++) {
            char became[64];
            bool running = false;
            JobRow row;
            set_state(&scratch, states[i].status, states[i].wish, states[i].step);
            int result = jobs_wish(scratch.store, "job_1", wishes[w], &running);
            cr_assert_eq(jobs_get(scratch.store, "job_1", &row), OK);
            snprintf(became, sizeof became, "%s/%s", row.status, row.wish);
            if (states[i].becomes[w] == NULL) {
                cr_expect_eq(result, ERR_CONFLICT, "%s of %s/%s", wishes[w], states[i].status,
                             states[i].wish);
            } else {
                cr_expect_eq(result, OK, "%s of %s/%s", wishes[w], states[i].status,
                             states[i].wish);
                cr_expect_str_eq(became, states[i].becomes[w], "%s of %s/%s: %s", wishes[w],
                                 states[i].status, states[i].wish, became);
                cr_expect_eq(running, strncmp(became, "running", 7) == 0);
                cr_expect_eq(row.finished_at != 0, strncmp(became, "cancelled", 9) == 0);
            }
            job_row_finish(&row);
        }
    bool running;
    cr_expect_eq(jobs_wish(scratch.store, "job_9", "pause", &running), ERR_NOT_FOUND);
    scratch_close(&scratch);
}

Test(jobs, a_wish_decides_where_a_job_goes_back_to) {
    static const char *const wishes[][2] = {
        {"", "queued"}, {"pause", "paused"}, {"stop", "queued"}, {"cancel", "cancelled"}};
    for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++) {
        Scratch scratch;
        char id[ID_TEXT];
        bool running;
        open_with_dataset(&scratch);
        scratch_job(&scratch, "job_1", 0);
        int attempt = scratch_claim(&scratch, id);
        if (wishes[i][0][0] != '\0')
            cr_assert_eq(jobs_wish(scratch.store, id, wishes[i][0], &running), OK);
        cr_assert_eq(jobs_requeue(scratch.store, id, attempt, 1234), OK);
        JobRow row;
        cr_assert_eq(jobs_get(scratch.store, id, &row), OK);
        cr_expect_str_eq(row.status, wishes[i][1]);
        cr_expect_eq(row.ran, 1234);
        cr_expect_str_eq(row.wish, strcmp(wishes[i][0], "stop") == 0 ? "stop" : "");
        job_row_finish(&row);
        scratch_close(&scratch);
    }
}

Test(jobs, are_deleted_only_after_their_end) {
    Scratch scratch;
    bool running;
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    cr_expect_eq(jobs_delete(scratch.store, "job_1"), ERR_CONFLICT);
    cr_expect_eq(datasets_delete(scratch.store, "ds_1"), ERR_CONFLICT);
    cr_assert_eq(jobs_wish(scratch.store, "job_1", "cancel", &running), OK);
    cr_expect_eq(datasets_delete(scratch.store, "ds_1"), OK);
    cr_expect_eq(datasets_delete(scratch.store, "ds_1"), ERR_NOT_FOUND);
    cr_expect_eq(jobs_delete(scratch.store, "job_1"), OK);
    cr_expect_eq(jobs_delete(scratch.store, "job_1"), ERR_NOT_FOUND);
    scratch_close(&scratch);
}

typedef struct Page {
    int count;
    char first[ID_TEXT], last[ID_TEXT];
} Page;

static int page_add(void *context, const JobRow *row) {
    Page *page = context;
    if (page->count++ == 0)
        strcpy(page->first, row->id);
    strcpy(page->last, row->id);
    return OK;
}

Test(jobs, are_listed_newest_first_in_pages) {
    Scratch scratch;
    Page page = {0};
    char id[ID_TEXT];
    open_with_dataset(&scratch);
    for (int i = 0; i < 7; i++) {
        snprintf(id, sizeof id, "job_%d", i);
        scratch_job(&scratch, id, 0);
    }
    JobFilter all = {0};
    cr_assert_eq(jobs_list(scratch.store, &all, NULL, 3, page_add, &page), OK);
    cr_expect_eq(page.count, 3);
    cr_expect_str_eq(page.first, "job_6");
    Page next = {0};
    cr_assert_eq(jobs_list(scratch.store, &all, page.last, 10, page_add, &next), OK);
    cr_expect_eq(next.count, 4);
    cr_expect_str_eq(next.first, "job_3");
    scratch_close(&scratch);
}

Test(jobs, are_filtered) {
    Scratch scratch;
    char id[ID_TEXT];
    open_with_dataset(&scratch);
    scratch_job(&scratch, "job_1", 0);
    scratch_job(&scratch, "job_2", 0);
    scratch_claim(&scratch, id);
    const JobFilter filters[] = {{.status = "queued"},
                                 {.tag = "nightly"},
                                 {.tag = "weekly"},
                                 {.dataset = "ds_1", .status = "running"},
                                 {.parent = "job_9"}};
    const int counts[] = {1, 2, 0, 1, 0};
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++) {
        Page page = {0};
        cr_assert_eq(jobs_list(scratch.store, &filters[i], NULL, 10, page_add, &page), OK);
        cr_expect_eq(page.count, counts[i], "filter %zu", i);
    }
    scratch_close(&scratch);
}

enum { CROWD = 60 };

typedef struct Crowd {
    int priority[CROWD]; // of the job of this number
    bool waits[CROWD];
    int seen;
} Crowd;

static int place_check(void *context, const JobRow *row) {
    Crowd *crowd = context;
    int number = (int)strtol(row->id + strlen("job_"), NULL, 10), place = 0;
    for (int i = 0; i < CROWD; i++)
        place +=
            crowd->waits[i] && (crowd->priority[i] > crowd->priority[number] ||
                                (crowd->priority[i] == crowd->priority[number] && i <= number));
    cr_expect_eq(row->queue_position, crowd->waits[number] ? place : 0, "%s: %lld, not %d", row->id,
                 (long long)row->queue_position, place);
    crowd->seen++;
    return OK;
}

// Over more priorities than a list remembers, and with filters, which leave out what stands between.
Test(jobs, in_lists_stand_where_they_stand_in_the_queue) {
    Scratch scratch;
    Crowd crowd = {.seen = 0};
    char id[ID_TEXT];
    open_with_dataset(&scratch);
    scratch_dataset(&scratch, "ds_2");
    for (int i = 0; i < CROWD; i++) {
        crowd.priority[i] = i * 7 % 25 % (i < CROWD / 2 ? 25 : 3);
        crowd.waits[i] = true;
        snprintf(id, sizeof id, "job_%02d", i);
        JobRow row = scratch_row(id, i % 3 == 0 ? "ds_2" : "ds_1", crowd.priority[i]);
        cr_assert_eq(jobs_insert(scratch.store, &row, CROWD), OK);
    }
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(scratch_claim(&scratch, id), 1);
        crowd.waits[strtol(id + strlen("job_"), NULL, 10)] = false;
    }
    const JobFilter filters[] = {{0}, {.status = "queued"}, {.dataset = "ds_2"}};
    const int counts[] = {CROWD, CROWD - 5, CROWD / 3};
    for (size_t i = 0; i < ARRAY_LENGTH(filters); i++) {
        crowd.seen = 0;
        cr_assert_eq(jobs_list(scratch.store, &filters[i], NULL, 100, place_check, &crowd), OK);
        cr_expect_eq(crowd.seen, counts[i], "filter %zu", i);
    }
    cr_expect_eq(jobs_list(scratch.store, &filters[0], "job_31", 10, place_check, &crowd), OK);
    scratch_close(&scratch);
}
