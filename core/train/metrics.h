// Metrics of rows that are not trained on: loss, and accuracy for classes or mae, rmse and r2
// for numbers.
#pragma once
#include <math.h>
#include "core/train/batches.h"
#include "core/train/confusion.h"
#include "core/train/trainer.h"

typedef struct Evaluator {
    const Job *job;
    const Scalers *scalers;
    Batch batch;
    Plan *plan;
    double *sums;         // regression: [SUMS, outputs], see metrics.c
    Confusion *confusion; // borrowed; classification: counts every row, where it is set
} Evaluator;

#define METRICS_NONE ((Metrics){NAN, NAN, NAN, NAN, NAN})

// For a job with something to evaluate (evaluation_rows > 0).
int evaluator_init(Evaluator *evaluator, const Job *job, const Scalers *scalers);
void evaluator_finish(Evaluator *evaluator);
// Metrics of rows [count], all METRICS_NONE for count 0; weights are only read. Allocates nothing.
Metrics evaluator_run(Evaluator *evaluator, Real *weights, const int32_t *rows, int64_t count,
                      Parallel *parallel);
