// What a worker tells of its training: events of the trainer, gathered into frames.
//
// Steps come by the hundred thousand a second, frames at most about ten a second: metrics and
// gradients gather in tables that go out every 100 ms, when they are full, before a checkpoint and
// at the end; progress at most five times a second. After a worker's death the next one tells every
// step by itself until it is well past the place, so that the server knows whether they die at one
// step. The thread that trains reports; another one only beats (report_beat). Where the server is
// gone there is nobody to train for, and the process ends.
#pragma once
#include <pthread.h>
#include "core/train/trainer.h"
#include "server/base/json_out.h"
#include "server/base/table.h"
#include "server/jobs/frames.h"
#include "server/jobs/series.h"

typedef struct Report {
    pthread_mutex_t writing; // one frame at a time
    int descriptor;
    uint32_t attempt;
    const Job *job;
    Table steps, epochs, gradients;
    const char *epoch_names[METRIC_COUNT]; // the series that this job has an epoch
    int epoch_series[METRIC_COUNT];        // … and which of METRIC_SERIES they are
    int epoch_columns;                     // 0 until the first epoch's end
    double newest[METRIC_COUNT];
    bool has[METRIC_COUNT];
    double best[METRIC_COUNT]; // of the best epoch
    int64_t best_epoch;        // 0: none yet
    int64_t step, epoch, first_step;
    int64_t began_at, flushed_at, progressed_at; // monotonic milliseconds
    bool careful;                                // tell every step at once …
    int64_t died_at;                             // … until well past this one
    int64_t passed_at;                           // monotonic milliseconds; 0: not yet
    bool done;                                   // the run is over: nothing is left to do
    bool failed;                                 // an allocation failed: the run must end
} Report;

void report_open(Report *report, int descriptor, uint32_t attempt); // from here on it can send
int report_init(Report *report, const Job *job);                    // and here report a job
void report_finish(Report *report);
void report_beat(Report *report); // from any thread
// Before the run: it goes on after `step`; `metrics` and `best` are what the server knows of the
// run up to there.
void report_started(Report *report, int64_t step, Value metrics, Value best);
void report_event(Report *report, const TrainEvent *event);
void report_flush(Report *report);    // all that is gathered
void report_progress(Report *report); // where it stands

void report_send(Report *report, FrameType type, const void *body, size_t length);
void report_send_json(Report *report, FrameType type, JsonOut *out); // and finishes `out`
// Members "progress", "samples", "metrics" and "best" of the object that is open; `test`: metrics of the test
// rows, or NULL.
void report_write(const Report *report, const Metrics *test, JsonOut *out);
// The member "metrics" of what the run leaves: those of its weights, which are the best epoch's where they were restored.
void report_write_model(const Report *report, const Metrics *test, JsonOut *out);
