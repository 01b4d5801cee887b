// A store in a folder of its own that goes away with the test, and rows to put into it.
#pragma once
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/store/tables.h"

typedef struct Scratch {
    char path[64];
    Store *store;
} Scratch;

static inline void scratch_open(Scratch *scratch) {
    strcpy(scratch->path, "/tmp/backpropd-test-XXXXXX");
    cr_assert_not_null(mkdtemp(scratch->path));
    cr_assert_eq(store_open(scratch->path, &scratch->store), OK);
}

static inline void scratch_reopen(Scratch *scratch) {
    store_close(scratch->store);
    cr_assert_eq(store_open(scratch->path, &scratch->store), OK);
}

static inline void scratch_close(Scratch *scratch) {
    char command[96];
    store_close(scratch->store);
    snprintf(command, sizeof command, "rm -r '%s'", scratch->path);
    cr_assert_eq(system(command), 0);
}

static inline void scratch_dataset(Scratch *scratch, const char *id) {
    DatasetRow row = {.name = (char *)"flowers",
                      .task = (char *)"classification",
                      .rows = 150,
                      .bytes = 1000,
                      .input_shape = (char *)"[4]",
                      .target_shape = (char *)"[]",
                      .classes = (char *)"[\"a\",\"b\"]",
                      .sha256 = "00",
                      .created_at = 1,
                      .profile = (char *)"{}",
                      .findings = (char *)"[]"};
    strcpy(row.id, id);
    cr_assert_eq(datasets_insert(scratch->store, &row), OK);
}

static inline JobRow scratch_row(const char *id, const char *dataset, int priority) {
    JobRow row = {.name = (char *)"a job",
                  .status = (char *)"queued",
                  .created_at = 1,
                  .priority = priority,
                  .threads = 1,
                  .tags = (char *)"[\"nightly\"]",
                  .spec = (char *)"{\"name\":\"a job\"}",
                  .plan = (char *)"{}"};
    strcpy(row.id, id);
    strcpy(row.dataset, dataset);
    return row;
}

static inline void scratch_job(Scratch *scratch, const char *id, int priority) {
    JobRow row = scratch_row(id, "ds_1", priority);
    cr_assert_eq(jobs_insert(scratch->store, &row, 1000), OK);
}

// Claims and says which job and attempt it was.
static inline int scratch_claim(Scratch *scratch, char id[ID_TEXT]) {
    JobRow row;
    cr_assert_eq(jobs_claim(scratch->store, 64, &row), OK);
    strcpy(id, row.id);
    int attempt = row.attempt;
    job_row_finish(&row);
    return attempt;
}
