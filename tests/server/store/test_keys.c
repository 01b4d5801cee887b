// Idempotency keys, before and after a restart.
#include "tests/server/store/scratch.h"

typedef struct Answer {
    KeyState state;
    int status;
    char *location, *body;
} Answer;

static Answer begin(Scratch *scratch, const char *key, const char *body) {
    Answer answer = {0};
    cr_assert_eq(keys_begin(scratch->store, key, body, &answer.state, &answer.status,
                            &answer.location, &answer.body),
                 OK);
    return answer;
}

static void answer_finish(Answer *answer) {
    memory_free(answer->location);
    memory_free(answer->body);
}

Test(keys, the_first_answer_comes_again_also_after_a_restart) {
    Scratch scratch;
    scratch_open(&scratch);
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_NEW);
    cr_assert_eq(keys_complete(scratch.store, "k", 202, "/v1/jobs/job_1", "{}"), OK);
    for (int i = 0; i < 2; i++) {
        Answer again = begin(&scratch, "k", "a");
        cr_expect_eq(again.state, KEY_SAME);
        cr_expect_eq(again.status, 202);
        cr_expect_str_eq(again.location, "/v1/jobs/job_1");
        cr_expect_str_eq(again.body, "{}");
        answer_finish(&again);
        cr_expect_eq(begin(&scratch, "k", "b").state, KEY_OTHER_BODY);
        scratch_reopen(&scratch);
    }
    scratch_close(&scratch);
}

Test(keys, while_the_first_is_under_way) {
    Scratch scratch;
    scratch_open(&scratch);
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_NEW);
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_UNDER_WAY);
    cr_expect_eq(begin(&scratch, "k", "b").state, KEY_OTHER_BODY);
    cr_assert_eq(keys_release(scratch.store, "k"), OK);
    cr_expect_eq(begin(&scratch, "k", "b").state, KEY_NEW);
    scratch_close(&scratch);
}

Test(keys, a_reservation_ends_with_the_server) {
    Scratch scratch;
    scratch_open(&scratch);
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_NEW);
    scratch_reopen(&scratch);
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_NEW);
    scratch_close(&scratch);
}

Test(keys, a_crash_after_the_job_was_made_does_not_make_it_twice) {
    Scratch scratch;
    scratch_open(&scratch);
    scratch_dataset(&scratch, "ds_1");
    JobRow row = scratch_row("job_1", "ds_1", 0);
    KeyUse use = {"k", "a", 202, "/v1/jobs/job_1"};
    cr_expect_eq(begin(&scratch, "k", "a").state, KEY_NEW);
    cr_assert_eq(jobs_insert_keyed(scratch.store, &row, 10, &use), OK);
    scratch_reopen(&scratch);
    Answer again = begin(&scratch, "k", "a");
    cr_expect_eq(again.state, KEY_SAME);
    cr_expect_eq(again.status, 202);
    cr_expect_str_eq(again.location, "/v1/jobs/job_1");
    cr_expect_null(again.body);
    answer_finish(&again);
    scratch_close(&scratch);
}
