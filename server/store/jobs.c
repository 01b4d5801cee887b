// The table `jobs`: the queue, and each job's state machine.
//
//   queued ──claim──▶ running ──▶ succeeded | failed | cancelled
//      ▲                 │
//      └──requeue, worker_died, recover: to paused or cancelled, where that was wished (wishes.c)
//
// Every change says from which state (and for a running job, from which attempt) it may go, in its
// WHERE: a worker that was given up on changes nothing. Each change logs the job's new state as a
// record in the same transaction.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "server/store/aliases.h"
#include "server/store/confusions.h"
#include "server/store/job_log.h"
#include "server/store/job_result.h"
#include "server/store/keys.h"
#include "server/store/models.h"
#include "server/store/places.h"
#include "server/store/sql.h"

enum {
    DEATHS_MAX = 3,
    FIRST_BACKOFF_MILLISECONDS = 500, // four times as long after each further death
    ASK_AGAIN_MILLISECONDS = 500,     // where the store could not be read
};

static const Column columns[] = {
    COLUMN(JobRow, id, COLUMN_FIXED),           COLUMN(JobRow, name, COLUMN_TEXT),
    COLUMN(JobRow, status, COLUMN_TEXT),        COLUMN(JobRow, created_at, COLUMN_INTEGER),
    COLUMN(JobRow, started_at, COLUMN_INTEGER), COLUMN(JobRow, finished_at, COLUMN_INTEGER),
    COLUMN(JobRow, attempt, COLUMN_INT),        COLUMN(JobRow, priority, COLUMN_INT),
    COLUMN(JobRow, threads, COLUMN_INT),        COLUMN(JobRow, dataset, COLUMN_FIXED),
    COLUMN(JobRow, model, COLUMN_FIXED),        COLUMN(JobRow, parent, COLUMN_FIXED),
    COLUMN(JobRow, initial, COLUMN_FIXED),      COLUMN(JobRow, tags, COLUMN_TEXT),
    COLUMN(JobRow, spec, COLUMN_TEXT),          COLUMN(JobRow, plan, COLUMN_TEXT),
    COLUMN(JobRow, progress, COLUMN_TEXT),      COLUMN(JobRow, metrics, COLUMN_TEXT),
    COLUMN(JobRow, best, COLUMN_TEXT),          COLUMN(JobRow, result, COLUMN_TEXT),
    COLUMN(JobRow, diagnosis, COLUMN_TEXT),     COLUMN(JobRow, error, COLUMN_TEXT),
    COLUMN(JobRow, last_seq, COLUMN_INTEGER),   COLUMN(JobRow, deaths, COLUMN_INT),
    COLUMN(JobRow, death_step, COLUMN_INTEGER), COLUMN(JobRow, interruption, COLUMN_TEXT),
    COLUMN(JobRow, wish, COLUMN_FIXED),         COLUMN(JobRow, ran, COLUMN_INTEGER),
    COLUMN(JobRow, alias, COLUMN_FIXED),
};
const char *const job_states[] = {"queued", "running",   "paused", "succeeded",
                                  "failed", "cancelled", NULL};
static const RowTable table = {"jobs", columns, ARRAY_LENGTH(columns), sizeof(JobRow)};

void job_row_finish(JobRow *row) {
    row_finish(&table, row);
}

// ---- making and reading ----

typedef struct Insert {
    const JobRow *rows; // [count]
    size_t count;
    int64_t max_queue;
    const KeyUse *key;
} Insert;

static int insert_one(sqlite3 *database, const JobRow *row) {
    int64_t one = 0;
    int result =
        sql_integer(database, &one, "SELECT 1 FROM datasets WHERE id = ?", "s", row->dataset);
    if (result == OK && row->initial[0] != '\0')
        result =
            sql_integer(database, &one, "SELECT 1 FROM models WHERE id = ?", "s", row->initial);
    if (result == OK)
        result = row_insert(database, &table, row);
    return result == OK ? job_log_state(database, row->id, NULL) : result;
}

static int insert_change(sqlite3 *database, void *argument) {
    const Insert *insert = argument;
    int64_t queued = 0;
    int result =
        sql_integer(database, &queued, "SELECT COUNT(*) FROM jobs WHERE status = 'queued'", "");
    if (result == OK && queued + (int64_t)insert->count > insert->max_queue)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < insert->count && result == OK; i++)
        result = insert_one(database, &insert->rows[i]);
    return result == OK ? key_note(database, insert->key) : result;
}

int jobs_insert_all(Store *store, const JobRow *rows, size_t count, int64_t max_queue,
                    const KeyUse *key) {
    Insert insert = {rows, count, max_queue, key};
    return store_write(store, insert_change, &insert);
}

int jobs_insert_keyed(Store *store, const JobRow *row, int64_t max_queue, const KeyUse *key) {
    return jobs_insert_all(store, row, 1, max_queue, key);
}

int jobs_insert(Store *store, const JobRow *row, int64_t max_queue) {
    return jobs_insert_keyed(store, row, max_queue, NULL);
}

int jobs_get(Store *store, const char *id, JobRow *ret_row) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    JobRow row;
    Places places = {.count = 0};
    int result = row_get(reader, &table, id, &row);
    if (result == OK && (result = place_find(reader, &places, &row)) != OK)
        job_row_finish(&row);
    if (result == OK)
        *ret_row = row;
    store_release(store, reader);
    return result;
}

int jobs_list(Store *store, const JobFilter *filter, const char *cursor, int limit,
              int (*found)(void *context, const JobRow *row), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    Places places = {.count = 0};
    char tail[400]; // only the conditions that are asked for, so that their index is used
    snprintf(tail, sizeof tail, "WHERE %s AND %s AND %s AND %s AND %s ORDER BY id DESC LIMIT ?6",
             filter->status != NULL ? "status = ?1" : "?1 IS NULL",
             filter->tag != NULL ? "EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?2)"
                                 : "?2 IS NULL",
             filter->dataset != NULL ? "dataset = ?3" : "?3 IS NULL",
             filter->parent != NULL ? "parent = ?4" : "?4 IS NULL",
             cursor != NULL ? "id < ?5" : "?5 IS NULL");
    int result = row_select(reader, &table, &statement, tail, "sssssi", filter->status, filter->tag,
                            filter->dataset, filter->parent, cursor, limit);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        JobRow row;
        result = row_read(&table, statement, &row);
        if (result == OK) {
            result = place_find(reader, &places, &row);
            if (result == OK)
                result = found(context, &row);
            job_row_finish(&row);
        }
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

int jobs_counts(Store *store, int64_t ret_counts[JOB_STATES]) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int64_t counts[JOB_STATES] = {0};
    int result =
        sql_prepare(reader, &statement, "SELECT status, COUNT(*) FROM jobs GROUP BY status", "");
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        const char *status = (const char *)sqlite3_column_text(statement, 0);
        for (int i = 0; status != NULL && i < JOB_STATES; i++)
            if (strcmp(job_states[i], status) == 0)
                counts[i] = sqlite3_column_int64(statement, 1);
        result = OK;
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    if (result == OK)
        memcpy(ret_counts, counts, sizeof counts);
    return result;
}

// ---- claiming ----

typedef struct Claim {
    int max_threads;
    JobRow *row;
} Claim;

static int claim_change(sqlite3 *database, void *argument) {
    const Claim *claim = argument;
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int64_t now = time_now();
    int result =
        sql_prepare(database, &statement,
                    "UPDATE jobs SET status = 'running', attempt = attempt + 1,"
                    " started_at = IIF(started_at = 0, ?1, started_at), not_before = 0"
                    " WHERE id = (SELECT id FROM jobs WHERE status = 'queued' AND not_before <= ?1"
                    " ORDER BY priority DESC, id LIMIT 1) AND threads <= ?2 RETURNING id",
                    "li", now, claim->max_threads);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_NOT_FOUND : result;
    char id[ID_TEXT];
    const char *found;
    if (sql_text(statement, 0, &found) != OK)
        return ERR_NO_MEMORY;
    snprintf(id, sizeof id, "%s", found);
    while ((result = sql_step(statement)) == SQL_ROW) {
    }
    if (result == OK)
        result = job_log_state(database, id, NULL);
    return result == OK ? row_get(database, &table, id, claim->row) : result;
}

int jobs_claim(Store *store, int max_threads, JobRow *ret_row) {
    JobRow row = {0};
    Claim claim = {max_threads, &row};
    int result = store_write(store, claim_change, &claim);
    if (result == OK)
        *ret_row = row;
    else
        job_row_finish(&row); // claimed, but the commit failed
    return result;
}

int64_t jobs_next_due(Store *store) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ASK_AGAIN_MILLISECONDS;
    int64_t due = 0, now = time_now();
    int result = sql_integer(
        reader, &due, "SELECT MIN(not_before) FROM jobs WHERE status = 'queued' AND not_before > 0",
        "");
    store_release(store, reader);
    if (result != OK)
        return ASK_AGAIN_MILLISECONDS;
    return due == 0 ? 0 : due > now ? due - now : 1;
}

// ---- what a worker's messages change ----

typedef struct Update {
    const char *id;
    int attempt;
    const char *status, *progress, *metrics, *best, *diagnosis, *error, *confusion, *result;
    const ModelRow *model;
    int64_t ran;
    const JobDeath *death;
    bool failed;
} Update;

static int progress_change(sqlite3 *database, void *argument) {
    const Update *update = argument;
    int64_t seq = 0;
    int result =
        sql_change(database,
                   "UPDATE jobs SET progress = COALESCE(?, progress), metrics = COALESCE(?,"
                   " metrics), best = COALESCE(?, best), ran = ?"
                   " WHERE id = ? AND status = 'running' AND attempt = ?",
                   "ssslsi", update->progress, update->metrics, update->best, update->ran,
                   update->id, update->attempt);
    if (result == OK)
        result =
            sql_run(database,
                    "DELETE FROM records WHERE job = ?1 AND seq = (SELECT progress_seq FROM jobs"
                    " WHERE id = ?1)",
                    "s", update->id);
    if (result == OK)
        result = job_log_state(database, update->id, &seq);
    if (result == OK)
        result = sql_run(database, "UPDATE jobs SET progress_seq = ? WHERE id = ?", "ls", seq,
                         update->id);
    return result;
}

int jobs_progress(Store *store, const char *id, int attempt, int64_t ran, const char *progress,
                  const char *metrics, const char *best) {
    Update update = {.id = id,
                     .attempt = attempt,
                     .ran = ran,
                     .progress = progress,
                     .metrics = metrics,
                     .best = best};
    return store_write(store, progress_change, &update);
}

// Back to the queue; or where it was wished while it ran.
static int give_back(sqlite3 *database, const char *id) {
    int64_t ended = 0;
    int result = sql_change(database,
                            "UPDATE jobs SET status = CASE wish WHEN 'cancel' THEN 'cancelled'"
                            " WHEN 'pause' THEN 'paused' ELSE 'queued' END,"
                            " finished_at = IIF(wish = 'cancel', ?, 0),"
                            " wish = IIF(wish = 'stop', 'stop', '')"
                            " WHERE id = ? AND status = 'running'",
                            "ls", time_now(), id);
    if (result == OK)
        result = sql_integer(database, &ended, "SELECT finished_at <> 0 FROM jobs WHERE id = ?",
                             "s", id);
    if (result != OK)
        return result;
    return ended ? job_log_end(database, id) : job_log_state(database, id, NULL);
}

static int requeue_change(sqlite3 *database, void *argument) {
    const Update *update = argument;
    int result = sql_change(
        database, "UPDATE jobs SET ran = ? WHERE id = ? AND status = 'running' AND attempt = ?",
        "lsi", update->ran, update->id, update->attempt);
    return result == OK ? give_back(database, update->id) : result;
}

int jobs_requeue(Store *store, const char *id, int attempt, int64_t ran) {
    Update update = {.id = id, .attempt = attempt, .ran = ran};
    return store_write(store, requeue_change, &update);
}

static int end_change(sqlite3 *database, void *argument) {
    const Update *update = argument;
    int result = sql_change(
        database,
        "UPDATE jobs SET status = ?, finished_at = ?, error = ?, wish = '',"
        " diagnosis = COALESCE(?, diagnosis), progress = COALESCE(?, progress),"
        " metrics = COALESCE(?, metrics), best = COALESCE(?, best), result = ?, model = ?"
        " WHERE id = ? AND status = 'running' AND attempt = ?",
        "slssssssssi", update->status, time_now(), update->error, update->diagnosis,
        update->progress, update->metrics, update->best, update->result,
        update->model != NULL ? update->model->id : "", update->id, update->attempt);
    if (result == OK && update->model != NULL)
        result = model_insert(database, update->model);
    if (result == OK && update->model != NULL)
        result = alias_follow(database, update->id, update->model->id);
    if (result == OK && update->confusion != NULL)
        result = confusion_insert(database, update->id, update->confusion);
    return result == OK ? job_log_end(database, update->id) : result;
}

int jobs_succeed(Store *store, const char *id, int attempt, const char *progress,
                 const char *metrics, const char *best, const char *diagnosis,
                 const char *confusion, const ModelRow *model) {
    Update update = {.id = id,
                     .attempt = attempt,
                     .status = "succeeded",
                     .progress = progress,
                     .metrics = metrics,
                     .best = best,
                     .diagnosis = diagnosis,
                     .confusion = confusion,
                     .model = model};
    return store_write(store, end_change, &update);
}

int jobs_succeed_with(Store *store, const char *id, int attempt, const char *progress,
                      const char *metrics, const char *best, const char *diagnosis,
                      const char *result) {
    Update update = {.id = id,
                     .attempt = attempt,
                     .status = "succeeded",
                     .progress = progress,
                     .metrics = metrics,
                     .best = best,
                     .diagnosis = diagnosis,
                     .result = result};
    return store_write(store, end_change, &update);
}

int jobs_end(Store *store, const char *id, int attempt, const char *status, const char *error,
             const char *diagnosis) {
    Update update = {
        .id = id, .attempt = attempt, .status = status, .error = error, .diagnosis = diagnosis};
    return store_write(store, end_change, &update);
}

// Two deaths are at one step where both steps are known exactly and equal, or the second is where the first may have been.
// The worker after a first death tells every step, so the second and third are known exactly.
static int death_change(sqlite3 *database, void *argument) {
    Update *update = argument;
    const JobDeath *death = update->death;
    int64_t deaths = 0;
    int result = sql_change(database,
                            "UPDATE jobs SET deaths = IIF(deaths > 0 AND ?2 AND (?1 = death_step OR"
                            " (?1 > death_step AND NOT death_exact)), deaths + 1, 1),"
                            " death_step = ?1, death_exact = ?2, interruption = ?5"
                            " WHERE id = ?3 AND status = 'running' AND attempt = ?4",
                            "lisis", death->step, (int)death->exact, update->id, update->attempt,
                            death->interruption);
    if (result == OK)
        result =
            sql_integer(database, &deaths, "SELECT deaths FROM jobs WHERE id = ?", "s", update->id);
    if (result != OK)
        return result;
    update->failed = deaths >= DEATHS_MAX;
    if (update->failed)
        return end_change(database, update);
    int64_t wait = (int64_t)FIRST_BACKOFF_MILLISECONDS << (2 * (deaths - 1));
    result = sql_run(database, "UPDATE jobs SET not_before = ? WHERE id = ?", "ls",
                     time_now() + wait, update->id);
    return result == OK ? requeue_change(database, update) : result;
}

int jobs_worker_died(Store *store, const char *id, int attempt, int64_t ran, const JobDeath *death,
                     bool *ret_failed) {
    Update update = {.id = id,
                     .attempt = attempt,
                     .status = "failed",
                     .ran = ran,
                     .error = death->error,
                     .diagnosis = death->diagnosis,
                     .death = death};
    int result = store_write(store, death_change, &update);
    if (result == OK)
        *ret_failed = update.failed;
    return result;
}

// ---- recovery ----

static int recover_change(sqlite3 *database, void *argument) {
    (void)argument;
    for (;;) {
        AUTO_STATEMENT sqlite3_stmt *statement = NULL;
        int result = sql_prepare(database, &statement,
                                 "SELECT id FROM jobs WHERE status = 'running' LIMIT 1", "");
        if (result == OK)
            result = sql_step(statement);
        if (result == OK) // none is left
            return sql_run(
                database,
                "UPDATE jobs SET not_before = 0 WHERE status = 'queued' AND not_before > 0", "");
        if (result != SQL_ROW)
            return result;
        const char *id = (const char *)sqlite3_column_text(statement, 0);
        result = id == NULL ? ERR_NO_MEMORY : give_back(database, id);
        if (result != OK)
            return result;
    }
}

int jobs_recover(Store *store) {
    return store_write(store, recover_change, NULL);
}
