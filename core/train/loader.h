// The batches of a run's steps: rows in their epoch's order, gathered, scaled and augmented.
//
// Where that is work enough and the run leaves a core for it, a thread of its own makes the batch of the next step while the
// current one runs, and waits for the disk in its place. What a batch holds depends on the job and the step alone, whoever
// makes it and when.
#pragma once
#include "core/base/parallel.h"
#include "core/train/batches.h"

typedef struct Loader Loader;

// Borrows job and scalers. ERR_NO_MEMORY, ERR_UNAVAILABLE: there is no further thread.
int loader_create(const Job *job, const Scalers *scalers, Loader **ret_loader);
void loader_destroy(Loader *loader); // takes NULL
size_t loader_bytes(const Job *job,
                    int64_t batch_rows); // of its memory; SIZE_MAX where it cannot be
// The batch of a step, from 1, into `batch`, which batch_init has made for the largest. Steps may come in any order; the one
// after the last is ready soonest. `parallel` helps where the batch is not ready.
void loader_take(Loader *loader, int64_t step, Parallel *parallel, Batch *batch);
