// Opening, locking, migrating, sweeping and the group commit.
#include "tests/server/store/scratch.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>
#include "server/store/migrations.h"
#include "server/store/sql.h"

Test(store, makes_its_folders) {
    Scratch scratch;
    scratch_open(&scratch);
    for (int i = 0; i < 4; i++) {
        char path[128];
        struct stat status;
        const char *folders[] = {"datasets", "models", "checkpoints", "tmp"};
        snprintf(path, sizeof path, "%s/%s", scratch.path, folders[i]);
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_mode & 0777, 0700);
    }
    scratch_close(&scratch);
}

Test(store, keeps_a_second_one_out) {
    Scratch scratch;
    Store *second = NULL;
    scratch_open(&scratch);
    cr_expect_eq(store_open(scratch.path, &second), ERR_CONFLICT);
    scratch_close(&scratch);
}

Test(store, refuses_a_database_of_a_newer_program) {
    Scratch scratch;
    scratch_open(&scratch);
    store_close(scratch.store);
    char path[96];
    sqlite3 *database = NULL;
    snprintf(path, sizeof path, "%s/backpropd.db", scratch.path);
    cr_assert_eq(sqlite3_open(path, &database), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(database, "INSERT INTO migrations VALUES (999, 'x', 0)", 0, 0, 0),
                 SQLITE_OK);
    sqlite3_close(database);
    cr_expect_eq(store_open(scratch.path, &scratch.store), ERR_CONFLICT);
    scratch.store = NULL;
    scratch_close(&scratch);
}

Test(store, runs_migrations_once) {
    Scratch scratch;
    int64_t count = 0;
    scratch_open(&scratch);
    scratch_reopen(&scratch);
    sqlite3 *reader = store_reader(scratch.store);
    cr_assert_eq(sql_integer(reader, &count, "SELECT COUNT(*) FROM migrations", ""), OK);
    store_release(scratch.store, reader);
    cr_expect_eq(count, (int64_t)migration_count);
    scratch_close(&scratch);
}

Test(store, removes_files_without_a_row_at_the_start) {
    Scratch scratch;
    const char *names[] = {"datasets/ds_1.bpa",
                           "datasets/ds_2.bpa",
                           "datasets/ds_1.bpa.tmp",
                           "models/mdl_9.bpa",
                           "checkpoints/job_1.a",
                           "checkpoints/job_2.b",
                           "tmp/x"};
    const bool stays[] = {true, false, false, false, true, false, false};
    scratch_open(&scratch);
    scratch_dataset(&scratch, "ds_1");
    scratch_job(&scratch, "job_1", 0);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", scratch.path, names[i]);
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        fclose(file);
    }
    scratch_reopen(&scratch);
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", scratch.path, names[i]);
        cr_expect_eq(access(path, F_OK) == 0, stays[i], "%s", names[i]);
    }
    scratch_close(&scratch);
}

// ---- group commit ----

enum { THREADS = 16, CHANGES = 50 };

static int add_one(sqlite3 *database, void *argument) {
    return sql_run(database, "INSERT INTO keys VALUES (?, '', 200, NULL, NULL, 1)", "s",
                   (const char *)argument);
}

static int add_one_and_fail(sqlite3 *database, void *argument) {
    int result = add_one(database, argument);
    return result == OK ? ERR_CONFLICT : result;
}

typedef struct Crowd {
    Store *store;
    int index;
} Crowd;

static void *crowd_main(void *argument) {
    const Crowd *crowd = argument;
    for (int i = 0; i < CHANGES; i++) {
        char good[32], bad[32];
        snprintf(good, sizeof good, "good-%d-%d", crowd->index, i);
        snprintf(bad, sizeof bad, "bad-%d-%d", crowd->index, i);
        cr_assert_eq(store_write(crowd->store, add_one, good), OK);
        cr_assert_eq(store_write(crowd->store, add_one_and_fail, bad), ERR_CONFLICT);
    }
    return NULL;
}

Test(store, commits_what_many_threads_hand_it_and_undoes_only_what_failed) {
    Scratch scratch;
    pthread_t threads[THREADS];
    Crowd crowds[THREADS];
    int64_t good = 0, bad = 0;
    scratch_open(&scratch);
    for (int i = 0; i < THREADS; i++) {
        crowds[i] = (Crowd){scratch.store, i};
        cr_assert_eq(pthread_create(&threads[i], NULL, crowd_main, &crowds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    scratch_reopen(&scratch);
    sqlite3 *reader = store_reader(scratch.store);
    sql_integer(reader, &good, "SELECT COUNT(*) FROM keys WHERE key LIKE 'good%'", "");
    sql_integer(reader, &bad, "SELECT COUNT(*) FROM keys WHERE key LIKE 'bad%'", "");
    store_release(scratch.store, reader);
    cr_expect_eq(good, THREADS * CHANGES);
    cr_expect_eq(bad, 0);
    scratch_close(&scratch);
}

Test(store, a_reader_cannot_write) {
    Scratch scratch;
    scratch_open(&scratch);
    sqlite3 *reader = store_reader(scratch.store);
    cr_expect_neq(sql_run(reader, "DELETE FROM jobs", ""), OK);
    store_release(scratch.store, reader);
    scratch_close(&scratch);
}

static void *reader_main(void *argument) {
    Store *store = argument;
    for (int i = 0; i < 200; i++) {
        int64_t counts[JOB_STATES];
        cr_assert_eq(jobs_counts(store, counts), OK);
    }
    return NULL;
}

Test(store, more_threads_than_readers_wait_for_one) {
    Scratch scratch;
    pthread_t threads[THREADS];
    scratch_open(&scratch);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, reader_main, scratch.store), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    scratch_close(&scratch);
}
