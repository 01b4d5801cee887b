// The learning-rate range test (Smith 2017: Cyclical learning rates for training neural networks, section 3.3): a job that trains
// for a while and leaves no model, while the rate rises exponentially from step to step,
//
//   rate(s) = from · (to / from)^((s − 1) / (steps − 1)),
//
// and watches the loss of each step's batch against the rate: where it falls fastest, where it no longer falls, where it breaks
// away. A job with "kind": "lr_range" is one; its own epochs or steps, schedule, phases, validation and early stopping do not count.
//
// The loss of a batch is noisy. What is told of the curve comes from least-squares lines through one decade of rates around each
// rate: their height there is the smoothed loss, their slope (loss per factor e of the rate) how fast it falls. The rate suggested
// is the one of the steepest fall before the minimum, where the slope is at least four of its standard errors; where there is none
// the loss never fell, and nothing is suggested.
//
// The run ends early once the loss has broken away: it is no number, or its running mean (exponential, weight 0.9 of the old, as
// far as there is one) is above four times its least and above where it began.
#pragma once
#include "core/train/job.h"

typedef struct LrRangeParams {
    double from, to;
    int64_t steps;
} LrRangeParams;

extern const Desc lr_range_desc; // the keys of the job's `lr_range`

const LrRangeParams *job_lr_range(const Job *job); // NULL: an ordinary training

typedef struct LrRange {
    const LrRangeParams *params;
    double *rates, *losses; // [steps], of which `count` are there
    int64_t count;
    double mean, weight, first, least; // the running mean
    bool broke_away;
} LrRange;

int lr_range_init(LrRange *range, const LrRangeParams *params);
void lr_range_finish(LrRange *range); // of a zeroed one too
// After each step. Whether it has seen enough: the loss has broken away.
bool lr_range_take(LrRange *range, double rate, double loss);

typedef struct LrRangeResult {
    double suggested;                  // NAN: the loss never fell
    double slope;                      // there
    double minimum_rate, minimum_loss; // of the smoothed loss
    double broke_away_at;              // rate; NAN: it never did
} LrRangeResult;

void lr_range_result(const LrRange *range, LrRangeResult *ret_result);
// The result with its curve, as an object under `key`: numbers, which texts.h's "range.…" put into words.
void lr_range_write(const LrRange *range, const char *key, const ValueWriter *out);
