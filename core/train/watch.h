// The doctor's round while a job trains: facts before the run, history on the way, rules now and then and at the end.
#pragma once
#include "core/train/trainer_private.h"

// What the rules need to know of a job before any step, but for the survey.
void facts_fill(const Job *job, Facts *ret_facts);

int watch_create(Trainer *trainer);
void watch_destroy(Trainer *trainer);
// Before the first step, or the first after a resume. ERR_NO_MEMORY.
int watch_begin(Trainer *trainer);
void watch_step(Trainer *trainer, int64_t step, double loss, double gradient_norm,
                double learning_rate);
void watch_record(Trainer *trainer, int64_t step);
void watch_epoch(Trainer *trainer, int64_t epoch, int64_t step, const Metrics *train);
// Runs the rules where it is time.
void watch_look(Trainer *trainer, int64_t step, int64_t epoch);
// Numbers stopped being finite at this step; `rows` [count] of the dataset gave the first outputs that are not.
typedef struct WatchFailure {
    int64_t step;
    double loss, gradient_norm;
    int32_t rows[4];
    int row_count;
} WatchFailure;
void watch_failed(Trainer *trainer, const WatchFailure *failure, int64_t epoch);
void watch_end(Trainer *trainer, int64_t epoch); // the run is over
void watch_probed(Trainer *trainer);             // the probe is
