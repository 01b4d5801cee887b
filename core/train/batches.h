// Batches: rows of the dataset, gathered and scaled into buffers that are made once.
#pragma once
#include "core/base/parallel.h"
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
    int64_t rows;
    Tensor inputs;          // [rows, input shape]; where rows are nodes or graphs, [nodes, …]
    int32_t *lengths;       // [rows], where rows are sequences
    AdjacencyBuffer graphs; // where the task has graphs
    Pattern *pattern; // where inputs.data are the numbers of features of mostly zeros; else NULL
    int64_t targets;  // rows; steps of all rows, or nodes, where each has a target
    int32_t *classes; // [targets], where the loss takes classes; negative: does not count
    Real *values;     // [targets, outputs], where it takes values; 0 or 1 for a binary job
    Real *
        picked; // [2, targets, outputs], where rows are nodes: the outputs of those listed, and their gradients
    Parallel *parallel; // borrowed: whose threads help to gather and to judge; NULL: none
    float *scratch;     // [numbers of an input row, or of a target if that has more], for gathering
} Batch;

int batch_init(Batch *batch, const Job *job, const Scalers *scalers, int64_t max_rows);
void batch_finish(Batch *batch);
size_t batch_bytes(const Job *job, int64_t max_rows); // of its memory; SIZE_MAX where it cannot be
// rows [count], count ≤ max_rows.
void batch_gather(Batch *batch, const int32_t *rows, int64_t count);
// Tells a pass what the batch has beside its inputs: lengths, graphs, a pattern.
void batch_context(const Batch *batch, OpContext *context);
// Numbers a target has for the net: the classes' logits, or the values.
int64_t batch_width(const Batch *batch);
// The outputs that have targets [targets, outputs], of all that a pass gave: where rows are nodes, those of the nodes
// listed, copied; else `outputs` as they are.
const Real *batch_pick(Batch *batch, const Real *outputs);
// The loss of what was picked against the batch's targets. gradients: of all that the pass gave, overwritten; or NULL.
double batch_loss(Batch *batch, const Real *picked, Real *gradients);
// The own target of a row, in the user's unit, where targets are numbers: values [task.outputs].
void row_target(const Dataset *dataset, int32_t row, double *values);
// What the batch weighs in a mean over several: its targets that count, or their classes' weights.
double batch_weight(const Batch *batch);
// Targets that count.
int64_t batch_counted(const Batch *batch);
// Targets whose class the outputs [targets, outputs] tell rightly; 0 where targets are numbers.
int64_t batch_correct(const Batch *batch, const Real *outputs);

// The training rows in the order of an epoch (from 1), whatever the order was before: order
// [train_count].
void order_epoch(const Job *job, int64_t epoch, int32_t *order);

// Rows that validation and testing run at once; 0 where there is nothing to evaluate.
int64_t evaluation_rows(const Job *job);
// Likewise, if the training's batches had so many rows.
int64_t evaluation_rows_at(const Job *job, int64_t batch_rows);
// What a plan for batches of `rows` rows holds.
PlanOptions job_plan_options(const Job *job, int64_t rows, bool backward);
