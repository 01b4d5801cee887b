// A store with a small dataset, a pool whose workers are this test's own binary, and jobs to give
// it.
//
// Workers are `/proc/self/exe worker PARENT`: a test that starts a pool ends its file with
// WORKSHOP_MAIN.
#pragma once
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include "core/base/archive.h"
#include "server/jobs/jobs.h"
#include "server/json/document.h"
#include "tests/server/store/scratch.h"

#define WORKSHOP_WORKER                                                                            \
    __attribute__((constructor)) static void become_worker(int argc, char **argv) {                \
        if (argc > 1 && strcmp(argv[1], "worker") == 0)                                            \
            exit(command_worker(argc - 1, argv + 1));                                              \
    }

enum { WORKSHOP_ROWS = 200 };

typedef struct Workshop {
    Scratch scratch;
    Store *store;
    Pool *pool;
    PoolOptions options;
} Workshop;

// Two classes by the sign of x·y: [200, 2] and a test split of every tenth row.
static inline void workshop_dataset(Workshop *workshop) {
    ArchiveWriter *writer = NULL;
    float inputs[WORKSHOP_ROWS][2];
    int32_t targets[WORKSHOP_ROWS];
    uint8_t splits[WORKSHOP_ROWS];
    const int64_t dims[] = {WORKSHOP_ROWS, 2}, names[] = {4};
    for (int i = 0; i < WORKSHOP_ROWS; i++) {
        inputs[i][0] = sinf((float)i * 1.7f);
        inputs[i][1] = cosf((float)i * 2.3f);
        targets[i] = inputs[i][0] * inputs[i][1] > 0;
        splits[i] = i % 10 == 0 ? 2 : i % 10 == 1;
    }
    cr_assert_eq(
        archive_writer_create(store_directory(workshop->store), "datasets/ds_1.bpa", &writer), OK);
    archive_add_text(writer, "task", "classification");
    archive_add(writer, "inputs", ARCHIVE_F32, 2, dims, inputs);
    archive_add(writer, "targets", ARCHIVE_I32, 1, dims, targets);
    archive_add(writer, "splits", ARCHIVE_U8, 1, dims, splits);
    archive_add(writer, "class_names", ARCHIVE_U8, 1, names, "a\0b");
    cr_assert_eq(archive_commit(writer, NULL), OK);
    archive_writer_destroy(writer);
    scratch_dataset(&workshop->scratch, "ds_1");
}

static inline void workshop_open(Workshop *workshop, int workers) {
    *workshop =
        (Workshop){.options = {.workers = workers, .threads = 1, .max_queue = 100, .lease = 30000}};
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    scratch_open(&workshop->scratch);
    workshop->store = workshop->scratch.store;
    workshop_dataset(workshop);
}

static inline void workshop_run(Workshop *workshop) {
    cr_assert_eq(pool_start(workshop->store, &workshop->options, &workshop->pool), OK);
}

static inline void workshop_close(Workshop *workshop) {
    pool_stop(workshop->pool);
    scratch_close(&workshop->scratch);
}

// What submission_check says of a job's text; on OK it is queued and its id returned.
static inline int workshop_submit(Workshop *workshop, const char *text, Issues *issues,
                                  char id[ID_TEXT]) {
    Document *document = NULL;
    JobRow row;
    JsonOut findings;
    json_init(&findings);
    cr_assert_eq(document_parse(text, strlen(text), NULL, issues, &document), OK, "%s", text);
    Submission submission = {.body = document_root(document)};
    submission.dataset = value_string(value_member(submission.body, "dataset"));
    int result =
        submission_check(workshop->store, &workshop->options, &submission, issues, &row, &findings);
    if (result == OK) {
        cr_assert_eq(jobs_insert(workshop->store, &row, workshop->options.max_queue), OK);
        strcpy(id, row.id);
        job_row_finish(&row);
    }
    json_finish(&findings);
    document_destroy(document);
    return result;
}

#define WORKSHOP_MODEL                                                                             \
    "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 16, \"activation\": \"tanh\"},"     \
    " {\"type\": \"dense\", \"units\": 2}]}"

// Queues a job of so many steps; `more`: further members of training, beginning with a comma, or
// "".
static inline void workshop_queue(Workshop *workshop, int steps, const char *more, const char *own,
                                  char id[ID_TEXT]) {
    char text[1024];
    Issues issues;
    issues_init(&issues);
    snprintf(
        text, sizeof text,
        "{\"dataset\": \"ds_1\", %s, \"training\": {\"steps\": %d, \"batch_size\": 20, \"seed\": 3,"
        " \"optimizer\": {\"type\": \"adam\", \"learning_rate\": 0.01}%s}%s}",
        "" WORKSHOP_MODEL, steps, more, own);
    int result = workshop_submit(workshop, text, &issues, id);
    cr_assert_eq(result, OK, "%s: %s", issues.count ? issues.items[0].pointer : "",
                 issues.count ? issues.items[0].detail : error_text(result));
    issues_finish(&issues);
    if (workshop->pool != NULL)
        pool_wake(workshop->pool);
}

// Waits (not longer than 20 s; under the sanitizers 400) until the job's status is one of those in `statuses`, which it
// returns.
static inline JobRow workshop_wait(Workshop *workshop, const char *id, const char *statuses) {
    JobRow row;
    int tries = 4000 * (getenv("BACKPROPD_SANITIZED") != NULL ? 20 : 1);
    for (int i = 0; i < tries; i++) {
        cr_assert_eq(jobs_get(workshop->store, id, &row), OK);
        if (strstr(statuses, row.status) != NULL)
            return row;
        job_row_finish(&row);
        usleep(5000);
    }
    cr_assert_fail("%s did not become %s", id, statuses);
    return row;
}

// The process that trains a job now: a child of ours whose command is `worker`.
static inline pid_t workshop_worker(void) {
    char path[64], line[64];
    snprintf(path, sizeof path, "pgrep -P %d", (int)getpid());
    FILE *children = popen(path, "r");
    pid_t found = 0;
    while (children != NULL && fgets(line, sizeof line, children) != NULL) {
        char command[64] = "";
        int pid = atoi(line);
        snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        size_t count = fread(command, 1, sizeof command - 1, file);
        fclose(file);
        if (count > 17 && strcmp(command + strlen(command) + 1, "worker") == 0)
            found = pid;
    }
    if (children != NULL)
        pclose(children);
    return found;
}
