// A job's log: order, replay, forgetting.
#include "tests/server/store/scratch.h"
#include "server/base/table.h"

static int running_job(Scratch *scratch, char id[ID_TEXT]) {
    scratch_open(scratch);
    scratch_dataset(scratch, "ds_1");
    scratch_job(scratch, "job_1", 0);
    return scratch_claim(scratch, id);
}

static void append_steps(Scratch *scratch, const char *id, int attempt, int64_t first,
                         int64_t last) {
    static const char *const names[] = {"train_loss"};
    Table table;
    uint8_t *bytes = NULL;
    Record record = {.kind = "metrics", .first_step = first, .last_step = last};
    cr_assert_eq(table_init(&table, names, 1), OK);
    for (int64_t step = first; step <= last; step++) {
        double value = 1.0 / (double)step;
        cr_assert_eq(table_add(&table, step, &value), OK);
    }
    cr_assert_eq(table_encode(&table, &bytes, &record.length), OK);
    record.body = bytes;
    cr_assert_eq(records_append(scratch->store, id, attempt, &record, 1), OK);
    memory_free(bytes);
    table_finish(&table);
}

typedef struct Seen {
    int count;
    int64_t seqs[32], last_steps[32];
    size_t rows;
    char kinds[256], last_body[512];
} Seen;

static int seen_add(void *context, const Record *record) {
    Seen *seen = context;
    TableView view;
    seen->seqs[seen->count] = record->seq;
    seen->last_steps[seen->count++] = record->last_step;
    strcat(strcat(seen->kinds, record->kind), " ");
    if (strcmp(record->kind, "metrics") == 0 &&
        table_view(record->body, record->length, &view) == OK)
        seen->rows += view.rows;
    snprintf(seen->last_body, sizeof seen->last_body, "%.*s", (int)record->length,
             (const char *)record->body);
    return OK;
}

static Seen look(Scratch *scratch, const char *id, const char *kind, int64_t seq) {
    Seen seen = {0};
    cr_assert_eq(records_since(scratch->store, id, kind, seq, 100, seen_add, &seen), OK);
    return seen;
}

Test(records, come_in_order_after_a_seq) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    append_steps(&scratch, id, attempt, 1, 5);
    append_steps(&scratch, id, attempt, 6, 9);
    Seen all = look(&scratch, id, NULL, 0);
    cr_expect_str_eq(all.kinds, "status status metrics metrics ");
    for (int i = 0; i < all.count; i++)
        cr_expect_eq(all.seqs[i], i + 1);
    cr_expect_eq(look(&scratch, id, NULL, 3).count, 1);
    cr_expect_eq(look(&scratch, id, "metrics", 0).rows, 9);
    cr_expect_eq(look(&scratch, id, NULL, 99).count, 0);
    scratch_close(&scratch);
}

Test(records, beyond_a_step_are_forgotten_and_their_seq_is_not_given_again) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    append_steps(&scratch, id, attempt, 1, 5);
    append_steps(&scratch, id, attempt, 6, 10);
    append_steps(&scratch, id, attempt, 11, 15);
    cr_assert_eq(records_forget_after(scratch.store, id, attempt, 8), OK);
    Seen seen = look(&scratch, id, "metrics", 0);
    cr_expect_eq(seen.count, 2);
    cr_expect_eq(seen.rows, 8, "the one that lies on both sides keeps its first rows");
    cr_expect_eq(seen.last_steps[1], 8);
    append_steps(&scratch, id, attempt, 9, 15);
    seen = look(&scratch, id, "metrics", 0);
    cr_expect_eq(seen.seqs[2], 6);
    cr_expect_eq(seen.rows, 15);
    scratch_close(&scratch);
}

Test(records, a_finding_is_kept_once) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    const char *bodies[] = {"{\"code\":\"plateau\",\"layer\":null}",
                            "{\"code\":\"plateau\",\"layer\":\"dense_1\"}",
                            "{\"code\":\"plateau\",\"layer\":null,\"first_step\":7}"};
    for (int i = 0; i < 3; i++) {
        Record record = {.kind = "finding", .body = bodies[i], .length = strlen(bodies[i])};
        cr_assert_eq(records_append(scratch.store, id, attempt, &record, 1), OK);
    }
    cr_expect_eq(look(&scratch, id, "finding", 0).count, 2);
    scratch_close(&scratch);
}

Test(records, progress_takes_the_place_of_the_one_before) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    for (int i = 0; i < 5; i++) {
        char progress[32];
        snprintf(progress, sizeof progress, "{\"step\":%d}", i);
        cr_assert_eq(jobs_progress(scratch.store, id, attempt, 0, progress, NULL, NULL), OK);
    }
    Seen seen = look(&scratch, id, "status", 0);
    cr_expect_eq(seen.count, 3, "queued, running, and the newest progress");
    cr_expect_eq(seen.seqs[2], 7);
    cr_expect_not_null(strstr(seen.last_body, "\"progress\":{\"step\":4}"));
    scratch_close(&scratch);
}

Test(records, end_is_the_last) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    cr_assert_eq(jobs_end(scratch.store, id, attempt, "failed", "{\"title\":\"x\"}", NULL), OK);
    Seen seen = look(&scratch, id, NULL, 0);
    cr_expect_str_eq(seen.kinds, "status status status end ");
    cr_expect_not_null(strstr(seen.last_body, "\"error\":{\"title\":\"x\"}"));
    scratch_close(&scratch);
}

Test(records, go_with_their_job) {
    Scratch scratch;
    char id[ID_TEXT];
    int attempt = running_job(&scratch, id);
    append_steps(&scratch, id, attempt, 1, 5);
    cr_assert_eq(jobs_end(scratch.store, id, attempt, "cancelled", NULL, NULL), OK);
    cr_assert_eq(jobs_delete(scratch.store, id), OK);
    cr_expect_eq(look(&scratch, id, NULL, 0).count, 0);
    scratch_close(&scratch);
}
