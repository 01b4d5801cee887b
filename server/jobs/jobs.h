// Jobs, from a spec to a trained model: submission, the pool of workers, live events.
#pragma once
#include "core/base/issues.h"
#include "core/base/value.h"
#include "server/base/json_out.h"
#include "server/store/tables.h"

typedef struct Pool Pool;

typedef struct PoolOptions {
    int workers; // jobs at once, as far as the processors last: together they have no more threads
    int threads; // a job's default
    int64_t max_queue;
    int64_t lease; // milliseconds: a worker that was silent for so long is given up
} PoolOptions;

typedef struct PoolCounters { // since the start
    int64_t claims, deaths, samples;
    int64_t ended[JOB_STATES]; // of JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED
    int running, threads;      // now: jobs, and their threads together
} PoolCounters;

// Starts the thread that claims jobs, spawns a worker process for each and commits what they say.
// Recovers first.
int pool_start(Store *store, const PoolOptions *options, Pool **ret_pool);
// Running jobs checkpoint and go back to the queue; within 10 s all workers have ended, and no more
// are claimed. Others may go on using the pool. From the thread that started it. Takes NULL.
void pool_drain(Pool *pool);
// Drains and ends it: nobody uses it any more. Takes NULL.
void pool_stop(Pool *pool);
void pool_wake(Pool *pool); // a job was queued
// After jobs_wish: tells its worker, if it runs, claims it, if it is queued again, and wakes its watchers.
void pool_wish(Pool *pool, const char *job);
// A prediction is asked for: workers rest a while between two loops (courtesy.h). From any thread, for every prediction.
void pool_give_way(Pool *pool);
int pool_running(Pool *pool);
void pool_counters(Pool *pool, PoolCounters *ret_counters);

// ---- submission ----
typedef struct Submission {
    Value body; // the job's object; `dataset` is an id, or was inline and is replaced by `dataset`
    const char *dataset; // id
    const char *parent;  // NULL
} Submission;
// Checks everything (unknown keys, model, training, memory) and fills a row to insert: spec with
// defaults, plan, name, tags. `findings` gets the JSON array of what can be told before the run.
int submission_check(Store *store, const PoolOptions *options, const Submission *submission,
                     Issues *issues, JobRow *ret_row, JsonOut *findings);
// The job's own keys alone: those unknown, and values out of their range. For jobs that run without
// a server.
void submission_check_keys(const PoolOptions *options, Value body, Issues *issues);

// What the first steps of a checked submission show: a worker of its own trains on one batch for at most two seconds, bounded in
// memory and time; nothing is stored. One at a time: ERR_CONFLICT while another is under way. ERR_UNAVAILABLE: the worker came to
// no end. ret_answer (memory_free): {"probe": {"steps", "first_loss", "loss"}, "findings": […]}.
int probe_run(Store *store, const JobRow *row, char **ret_answer);

// ---- live events: who waits for a job's next record ----
// Calls wake(context) from the pool's thread after each commit of records of that job, until
// unsubscribed; never after live_unsubscribe has returned. Also every 15 s, as a heartbeat.
typedef struct LiveWatch LiveWatch;
// Within wake, nothing of this file may be called.
int live_subscribe(Pool *pool, const char *job, void (*wake)(void *context), void *context,
                   LiveWatch **ret_watch);
void live_unsubscribe(Pool *pool, LiveWatch *watch);
void live_wake(Pool *pool, const char *job); // after a change that the pool did not make itself

// ---- series out of records, for metrics, gradients and events alike ----
typedef struct SeriesQuery {
    const char *names; // comma-separated; NULL: all
    int64_t points;    // buckets; 0: every step
    int64_t from_step;
    // For pictures, as JSON alone:
    bool peaks; // of a bucket its greatest as `value` (NaN where it ends in NaN), no min and no max
    bool single; // numbers to the precision of a float
} SeriesQuery;
// ERR_INVALID: `names` has one that is no series (of metrics, or of gradients).
int series_write_metrics(Store *store, const char *job, const SeriesQuery *query,
                         JsonOut *out); // the whole answer
int series_write_gradients(Store *store, const char *job, const SeriesQuery *query, JsonOut *out);
int series_write_metrics_csv(Store *store, const char *job, const SeriesQuery *query, Text *out);
int series_write_gradients_csv(Store *store, const char *job, const SeriesQuery *query, Text *out);
// One record as the data of its server-sent event (JSON): the same function for replay and live.
int record_write_event(Store *store, const char *job, const Record *record, JsonOut *out);

int command_worker(int argc,
                   char **argv); // `backpropd worker`: trains the job that comes on standard input
