// What a job must hold to be queued.
#include "tests/server/jobs/workshop.h"

static bool has_issue(const Issues *issues, const char *pointer, const char *word) {
    for (size_t i = 0; i < issues->count; i++) {
        if (strcmp(issues->items[i].pointer, pointer) == 0 &&
            strstr(issues->items[i].detail, word) != NULL)
            return true;
    }
    for (size_t i = 0; i < issues->count; i++)
        fprintf(stderr, "%s: %s\n", issues->items[i].pointer, issues->items[i].detail);
    return false;
}

Test(submission, fills_in_every_default) {
    Workshop workshop;
    Issues issues;
    JobRow row;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    issues_init(&issues);
    cr_assert_eq(
        workshop_submit(&workshop, "{\"dataset\": \"ds_1\", " WORKSHOP_MODEL "}", &issues, id), OK);
    cr_assert_eq(jobs_get(workshop.store, id, &row), OK);
    cr_expect_str_eq(row.name, "flowers", "the dataset's");
    cr_expect_str_eq(row.tags, "[]");
    cr_expect_eq(row.threads, 1);
    cr_expect_not_null(strstr(row.spec, "\"epochs\":10"), "%s", row.spec);
    cr_expect_not_null(strstr(row.spec, "\"threads\":1"));
    cr_expect_not_null(strstr(row.plan, "\"parameters\":82"), "%s", row.plan);
    job_row_finish(&row);
    issues_finish(&issues);
    workshop_close(&workshop);
}

Test(submission, names_every_error_at_once) {
    Workshop workshop;
    Issues issues;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    issues_init(&issues);
    int result = workshop_submit(
        &workshop,
        "{\"dataset\": \"ds_1\", \"modle\": 1, \"alias\": \"mdl_x\", \"priority\": 11,"
        " \"threads\": 0, \"tags\": [\"a\", 3], \"name\": 4, \"max_seconds\": -1,"
        " \"max_memory_bytes\": \"much\","
        " \"model\": {\"layers\": [{\"type\": \"dense\", \"units\": \"many\"}]},"
        " \"training\": {\"epoch\": 3}}",
        &issues, id);
    cr_expect_eq(result, ERR_INVALID);
    cr_expect(has_issue(&issues, "/modle", "\"model\""));
    cr_expect(has_issue(&issues, "/alias", "must be 1 to 64"));
    cr_expect(has_issue(&issues, "/priority", "-10 to 10"));
    cr_expect(has_issue(&issues, "/threads", "whole number"));
    cr_expect(has_issue(&issues, "/tags/1", "string"));
    cr_expect(has_issue(&issues, "/name", "string"));
    cr_expect(has_issue(&issues, "/max_seconds", "above 0"));
    cr_expect(has_issue(&issues, "/max_memory_bytes", "whole number"));
    cr_expect(has_issue(&issues, "/model/layers/0/units", "many"));
    cr_expect(has_issue(&issues, "/training/epoch", "epochs"));
    issues_finish(&issues);
    workshop_close(&workshop);
}

Test(submission, needs_a_dataset_that_is_there) {
    Workshop workshop;
    Issues issues;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    issues_init(&issues);
    cr_expect_eq(workshop_submit(&workshop, "{" WORKSHOP_MODEL "}", &issues, id), ERR_INVALID);
    cr_expect(has_issue(&issues, "/dataset", "required"));
    cr_expect_eq(
        workshop_submit(&workshop, "{\"dataset\": \"ds_9\", " WORKSHOP_MODEL "}", &issues, id),
        ERR_INVALID);
    cr_expect(has_issue(&issues, "/dataset", "no dataset \"ds_9\""));
    issues_finish(&issues);
    workshop_close(&workshop);
}

Test(submission, refuses_what_cannot_fit_into_its_memory) {
    Workshop workshop;
    Issues issues;
    char id[ID_TEXT];
    workshop_open(&workshop, 1);
    issues_init(&issues);
    cr_expect_eq(workshop_submit(&workshop,
                                 "{\"dataset\": \"ds_1\", " WORKSHOP_MODEL
                                 ", \"max_memory_bytes\": 1000}",
                                 &issues, id),
                 ERR_INVALID);
    cr_expect(has_issue(&issues, "/max_memory_bytes", "more than the 1000 "));
    issues_finish(&issues);
    workshop_close(&workshop);
}
