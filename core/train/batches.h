// Batches: rows of the dataset, gathered and scaled into buffers that are made once.
#pragma once
#include "core/model/scaler.h"
#include "core/train/job.h"

// How the dataset's numbers become the net's, by statistics of the training rows.
typedef struct Scalers {
    Scaler input;
    Scaler target; // regression; width 0 otherwise
} Scalers;

int scalers_fit(const Job *job, Scalers *ret_scalers);
void scalers_finish(Scalers *scalers);

typedef struct Batch {
    const Job *job;
    const Scalers *scalers;
    int64_t max_rows;
    const int32_t *numbers; // [rows] of the dataset; borrowed from the last batch_gather
    Tensor inputs;          // [rows, input shape]
    int32_t *classes;       // [rows], where the loss takes classes
    Real *values;           // [rows, outputs], where it takes values; 0 or 1 for a binary job
} Batch;

int batch_init(Batch *batch, const Job *job, const Scalers *scalers, int64_t max_rows);
void batch_finish(Batch *batch);
// rows [count], count ≤ max_rows.
void batch_gather(Batch *batch, const int32_t *rows, int64_t count);
// The loss of `outputs` [rows, outputs] against the batch's targets.
LossCall batch_loss(const Batch *batch, const Real *outputs, Real *gradients);
// What the batch weighs in a mean over several: its rows, or their classes' weights.
double batch_weight(const Batch *batch);
// Rows whose class the outputs [rows, outputs] tell rightly; 0 where targets are numbers.
int64_t batch_correct(const Batch *batch, const Real *outputs);

// The training rows in the order of an epoch (from 1), whatever the order was before: order
// [train_count].
void order_epoch(const Job *job, int64_t epoch, int32_t *order);

// Rows that validation and testing run at once; 0 where there is nothing to evaluate.
int64_t evaluation_rows(const Job *job);
