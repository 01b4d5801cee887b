// The rows that the store keeps and every query on them; texts in rows are owned by the row
// (…_row_finish frees). JSON members hold JSON text. Lists are newest first, start after `cursor`
// (an id; NULL: from the newest).
#pragma once
#include "server/base/time.h"
#include "server/store/store.h"

// An Idempotency-Key whose answer is noted in the transaction that creates the thing, so that a
// crash between the two cannot let a repeated request create it twice.
typedef struct KeyUse {
    const char *key, *body_sha256;
    int status;           // of the answer …
    const char *location; // … and its Location
} KeyUse;

// ---- datasets ----
typedef struct DatasetRow {
    char id[ID_TEXT];
    char *name, *task;
    int64_t rows, bytes;
    char *input_shape, *target_shape, *classes; // JSON: [4], [1] or [], ["setosa", …] or null
    char sha256[65];
    int64_t created_at;
    char *profile, *findings; // JSON
} DatasetRow;
void dataset_row_finish(DatasetRow *row);
int datasets_insert(Store *store, const DatasetRow *row);
int datasets_insert_keyed(Store *store, const DatasetRow *row,
                          const KeyUse *key);                        // key NULL: as above
int datasets_get(Store *store, const char *id, DatasetRow *ret_row); // ERR_NOT_FOUND
int datasets_list(Store *store, const char *cursor, int limit,
                  int (*found)(void *context, const DatasetRow *row), void *context);
// With its file. ERR_NOT_FOUND; ERR_CONFLICT while a job that has not ended uses it.
int datasets_delete(Store *store, const char *id);

// ---- jobs ----
typedef struct JobRow {
    char id[ID_TEXT];
    char *name, *status;                         // queued running paused succeeded failed cancelled
    int64_t created_at, started_at, finished_at; // 0: not yet
    int64_t queue_position;                      // from 1, of queued ones; 0 else
    int attempt, priority, threads;
    char dataset[ID_TEXT], model[ID_TEXT], parent[ID_TEXT]; // "" where none
    char initial[ID_TEXT]; // model whose weights it starts from; "" where none
    char *tags, *spec, *plan, *progress, *metrics, *best, *result, *diagnosis,
        *error;         // JSON; NULL: null
    int64_t last_seq;   // of its newest record
    int deaths;         // of workers, in a row, at one step
    int64_t death_step; // the newest death's
} JobRow;
typedef struct JobFilter {
    const char *status, *tag, *dataset, *parent; // NULL: any
} JobFilter;
void job_row_finish(JobRow *row);
// Refuses with ERR_TOO_LARGE when `max_queue` jobs are queued already; ERR_NOT_FOUND if its dataset
// or its initial model is gone. Also appends the first `status` record.
int jobs_insert(Store *store, const JobRow *row, int64_t max_queue);
int jobs_insert_keyed(Store *store, const JobRow *row, int64_t max_queue, const KeyUse *key);
int jobs_get(Store *store, const char *id, JobRow *ret_row);
int jobs_list(Store *store, const JobFilter *filter, const char *cursor, int limit,
              int (*found)(void *context, const JobRow *row), void *context);
int jobs_delete(Store *store,
                const char *id); // with its records; ERR_CONFLICT while queued, running or paused
// queued, paused → cancelled at once; running → ret_running true, the pool stops it (the wish is
// stored: it holds through a crash). ERR_CONFLICT once ended.
int jobs_cancel(Store *store, const char *id, bool *ret_running);
// The oldest queued job of the highest priority → running, attempt + 1. ERR_NOT_FOUND: none that
// may start now, or that one needs more than max_threads (it is waited for, not overtaken).
int jobs_claim(Store *store, int max_threads, JobRow *ret_row);
int64_t
jobs_next_due(Store *store); // milliseconds until a job has waited out its backoff; 0: none waits
// All of these say WHERE status = 'running' AND attempt = ?; ERR_CONFLICT where that is no longer
// so. Each writes a `status` record (and `end` where the job ended) in the same transaction. A
// status record is
//   {"status", "attempt", "progress", "metrics", "best", "model", "error"}
// and a newer one of jobs_progress takes the place of the one before.
int jobs_progress(Store *store, const char *id, int attempt, const char *progress,
                  const char *metrics,
                  const char *best);                         // NULL: as it was
int jobs_requeue(Store *store, const char *id, int attempt); // back to queued
// Its worker died by itself after `step` (−1: before it began); not `exact`: maybe some steps later. The third death at one step
// makes the job failed with `error` (ret_failed); else it is queued again and waits 0.5 s, then 2 s.
int jobs_worker_died(Store *store, const char *id, int attempt, int64_t step, bool exact,
                     const char *error, const char *diagnosis, bool *ret_failed);
struct ModelRow;
int jobs_succeed(Store *store, const char *id, int attempt, const char *progress,
                 const char *metrics, const char *best, const char *diagnosis,
                 const char *confusion,         // NULL: it has none
                 const struct ModelRow *model); // model row in the same transaction
int jobs_end(Store *store, const char *id, int attempt, const char *status, const char *error,
             const char *diagnosis); // failed, cancelled
int jobs_recover(Store *store); // at start: running → queued (cancelled, where that was asked for)
int jobs_counts(Store *store, int64_t *ret_queued, int64_t *ret_running);
bool jobs_cancel_requested(Store *store, const char *id);

// ---- records: a job's append-only log; seq 1, 2, … per job ----
typedef struct Record {
    int64_t seq;
    const char *kind; // status metrics gradients finding end
    int64_t first_step, last_step;
    const void *body; // metrics, gradients: a table (server/base/table.h); else JSON text
    size_t length;
    int64_t created_at;
} Record;
// Fenced by attempt as above. The seq is given here. A finding whose code and layer the job has
// already is passed over.
int records_append(Store *store, const char *job, int attempt, const Record *records, size_t count);
// A resumed run writes what lies beyond its checkpoint again: forget metrics, gradients and
// findings after `step`.
int records_forget_after(Store *store, const char *job, int attempt, int64_t step);
int records_span(Store *store, const char *job, const char *kind, int64_t *ret_first_step,
                 int64_t *ret_last_step); // of all of a kind; ERR_NOT_FOUND: there is none
// Those after `seq` in order, of one kind or (NULL) all; stops early where `found` returns
// non-zero. limit −1: all.
int records_since(Store *store, const char *job, const char *kind, int64_t seq, int limit,
                  int (*found)(void *context, const Record *record), void *context);

// ---- confusion matrices: of jobs that classify, with their job ----
int confusions_get(Store *store, const char *job, char **ret_json); // memory_free; ERR_NOT_FOUND

// ---- models ----
typedef struct ModelRow {
    char id[ID_TEXT], job[ID_TEXT];
    char *name, *spec, *input_shape, *classes, *metrics; // JSON but the name
    int64_t parameters, bytes, created_at;
    char sha256[65];
} ModelRow;
void model_row_finish(ModelRow *row);
int models_get(Store *store, const char *id, ModelRow *ret_row);
int models_list(Store *store, const char *cursor, int limit,
                int (*found)(void *context, const ModelRow *row), void *context);
// With its file. ERR_NOT_FOUND; ERR_CONFLICT while a job that has not ended starts from it.
int models_delete(Store *store, const char *id);

// ---- idempotency keys ----
typedef enum KeyState { KEY_NEW, KEY_SAME, KEY_OTHER_BODY, KEY_UNDER_WAY } KeyState;
// KEY_NEW: reserved for this request, to be completed or released. KEY_SAME: the first answer
// (memory_free); its body is NULL where the server died after creating the thing (see KeyUse): then
// answer with what stands at the location. Reservations do not survive a restart; completed keys
// do, for a week.
int keys_begin(Store *store, const char *key, const char *body_sha256, KeyState *ret_state,
               int *ret_status, char **ret_location, char **ret_body);
int keys_complete(Store *store, const char *key, int status, const char *location,
                  const char *body);
int keys_release(Store *store, const char *key);
