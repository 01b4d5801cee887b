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
enum { ALIAS_TEXT = 65 };
typedef struct JobRow {
    char id[ID_TEXT];
    char *name, *status;                         // queued running paused succeeded failed cancelled
    int64_t created_at, started_at, finished_at; // 0: not yet
    int64_t queue_position;                      // from 1, of queued ones; 0 else
    int attempt, priority, threads;
    char dataset[ID_TEXT], model[ID_TEXT], parent[ID_TEXT]; // "" where none
    char initial[ID_TEXT]; // model whose weights it starts from; "" where none
    char *tags, *spec, *plan, *progress, *metrics, *best, *result, *diagnosis,
        *error;             // JSON; NULL: null
    int64_t last_seq;       // of its newest record
    int deaths;             // of workers, in a row, at one step
    int64_t death_step;     // the newest death's
    char *interruption;     // JSON: the newest death; NULL: there was none
    char wish[8];           // pause, stop or cancel: what it is asked while it runs; "" else
    int64_t ran;            // milliseconds that its attempts have run, as last told
    char alias[ALIAS_TEXT]; // that moves to its model; "" for none
} JobRow;
enum { JOB_QUEUED, JOB_RUNNING, JOB_PAUSED, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED, JOB_STATES };
extern const char *const job_states[]; // their names, NULL-terminated

typedef struct JobFilter {
    const char *status, *tag, *dataset, *parent; // NULL: any
} JobFilter;
void job_row_finish(JobRow *row);
// Refuses with ERR_TOO_LARGE when `max_queue` jobs are queued already; ERR_NOT_FOUND if its dataset
// or its initial model is gone. Also appends the first `status` record.
int jobs_insert(Store *store, const JobRow *row, int64_t max_queue);
int jobs_insert_keyed(Store *store, const JobRow *row, int64_t max_queue, const KeyUse *key);
// rows [count] in one transaction: all of them or none.
int jobs_insert_all(Store *store, const JobRow *rows, size_t count, int64_t max_queue,
                    const KeyUse *key);
int jobs_get(Store *store, const char *id, JobRow *ret_row);
int jobs_list(Store *store, const JobFilter *filter, const char *cursor, int limit,
              int (*found)(void *context, const JobRow *row), void *context);
int jobs_delete(Store *store,
                const char *id); // with its records; ERR_CONFLICT while queued, running or paused
// What a user wishes of a job that has not ended: "pause", "resume", "stop" or "cancel" (wishes.c has
// which state allows which). Of a job that is not running it is done at once; of a running one it is
// stored, holds through a crash, and the pool acts on it (ret_running). ERR_CONFLICT: its state forbids
// it.
int jobs_wish(Store *store, const char *id, const char *wish, bool *ret_running);
void jobs_remove_files(Store *store, const char *id); // the checkpoints of one that has ended
void jobs_wished(Store *store, const char *id, char ret_wish[8]); // of a running job; "": nothing
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
// `ran`: milliseconds of all its attempts together, this one included.
int jobs_progress(Store *store, const char *id, int attempt, int64_t ran, const char *progress,
                  const char *metrics,
                  const char *best); // NULL: as it was
// Back to queued, or where it was wished meanwhile: paused, cancelled.
int jobs_requeue(Store *store, const char *id, int attempt, int64_t ran);
typedef struct JobDeath {
    int64_t step;                  // after which it died; −1: before it began
    bool exact;                    // not: maybe some steps later
    const char *interruption;      // JSON, kept in any case
    const char *error, *diagnosis; // where it is the last
} JobDeath;
// Its worker died by itself. The third death at one step makes the job failed with `error`
// (ret_failed); else it is queued again and waits 0.5 s, then 2 s.
int jobs_worker_died(Store *store, const char *id, int attempt, int64_t ran, const JobDeath *death,
                     bool *ret_failed);
struct ModelRow;
int jobs_succeed(Store *store, const char *id, int attempt, const char *progress,
                 const char *metrics, const char *best, const char *diagnosis,
                 const char *confusion,         // NULL: it has none
                 const struct ModelRow *model); // model row in the same transaction
int jobs_end(Store *store, const char *id, int attempt, const char *status, const char *error,
             const char *diagnosis); // failed, cancelled
int jobs_recover(Store *store);      // at start: running → queued, or where it was wished
int jobs_counts(Store *store, int64_t ret_counts[JOB_STATES]);

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
// A resumed run writes what lies beyond its checkpoint again: forget metrics, gradients, histograms and
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

// ---- diagnoses: the newest one of a job, with its job ----
// {"findings", "checklist"} in English, as its worker told it. Fenced by attempt; the one before is replaced.
int diagnoses_put(Store *store, const char *job, int attempt, const char *json, size_t length);
int diagnoses_get(Store *store, const char *job, char **ret_json); // memory_free; ERR_NOT_FOUND

// ---- histograms of a job's layers: a row a step, with their job ----
typedef struct HistogramsRow {
    int64_t step, interval; // rows whose step − 1 is no multiple of the interval are dropped
    const char
        *json; // {"step", "interval", "layers": {NAME: {KIND: {"least", "greatest", "counts"}}}}
    size_t length;
} HistogramsRow;
// Fenced by attempt.
int histograms_put(Store *store, const char *job, int attempt, const HistogramsRow *row);
// In the order of their steps; stops early where `found` returns non-zero.
int histograms_each(Store *store, const char *job,
                    int (*found)(void *context, int64_t step, const char *json), void *context);

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
// With its file. ERR_NOT_FOUND; ERR_CONFLICT while a job that has not ended starts from it, ERR_EXISTS
// while an alias points to it.
int models_delete(Store *store, const char *id);

// ---- aliases: names that point to models; 1 to 64 letters, digits, '-', '_' and '.' ----
typedef struct AliasRow {
    char name[ALIAS_TEXT], model[ID_TEXT];
    int64_t updated_at;
} AliasRow;
bool alias_valid(const char *name); // and none that could be a model's id
int aliases_put(Store *store, const char *name, const char *model); // ERR_NOT_FOUND: no such model
int aliases_get(Store *store, const char *name, AliasRow *ret_row);
int aliases_delete(Store *store, const char *name); // ERR_NOT_FOUND
// By name, after `cursor` (a name); of one model, or NULL: of all.
int aliases_list(Store *store, const char *model, const char *cursor, int limit,
                 int (*found)(void *context, const AliasRow *row), void *context);
// The id of the model that `name`, an id or an alias, means. ERR_NOT_FOUND: it is no alias. An id is
// not looked up.
int models_resolve(Store *store, const char *name, char ret_id[ID_TEXT]);

// ---- what models are asked about ----
typedef struct DriftRow {
    int64_t since, rows;
    void *body; // owned by whoever made it (memory_free)
    size_t length;
} DriftRow;
int drifts_put(Store *store, const char *model,
               const DriftRow *row);                                // ERR_NOT_FOUND: no such model
int drifts_get(Store *store, const char *model, DriftRow *ret_row); // ERR_NOT_FOUND

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

// ---- retention ----
// Forgets jobs that ended before that time, with their logs and checkpoints, and older idempotency
// keys; models and datasets stay. In `most` small changes at most: ERR_UNAVAILABLE where that was not
// all yet. ret_jobs: how many are gone.
int store_expire(Store *store, int64_t before, int most, int64_t *ret_jobs);
