// Augmentation: a job's list of changes, fitted to its rows and run over training batches.
#pragma once
#include "core/train/batches.h"

typedef struct Augmenter {
    const Job *job;
    Real *spare; // [threads, row] that rows are worked on in
} Augmenter;

int augmenter_init(Augmenter *augmenter, const Job *job);
void augmenter_finish(Augmenter *augmenter);
size_t augmenter_bytes(const Job *job);
// Changes the inputs of a batch that was just gathered, each row by the job's list in its order. What is drawn depends on
// the seed, the step and the row's place in the batch alone.
void augmenter_run(const Augmenter *augmenter, Batch *batch, int64_t step, Parallel *parallel);
