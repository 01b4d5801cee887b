// The training loop: batches, forward, loss, backward, statistics, clipping, optimizer; validation;
// early stopping; checkpoints. It prints nothing, knows no clock but the monotonic one, and talks
// through hooks.
//
// Reproducible to the bit: the weights after step s depend on the job, the dataset, the seed, the
// number of threads and the BLAS core alone, whether or not the run was interrupted and resumed on
// the way.
//
//   trainer_create → [trainer_load] → trainer_run → trainer_save_model
#pragma once
#include <stdatomic.h>
#include "core/train/confusion.h"
#include "core/train/job.h"

// Validation metrics; NAN where the task has no such thing.
typedef struct Metrics {
    double loss, accuracy, mae, rmse, r2;
} Metrics;

// e^loss: among how many tokens a language model wavers. NAN for other tasks.
double metrics_perplexity(const Task *task, const Metrics *metrics);

typedef enum TrainEventKind {
    TRAIN_STEP, // after every step: step, loss, learning_rate, gradient_norm, clipped_gradient_norm
    TRAIN_GRADIENTS,  // every record_every steps, after its TRAIN_STEP: layers, samples_per_second
    TRAIN_HISTOGRAMS, // at some of the steps, after its TRAIN_STEP: histograms, interval
    TRAIN_EPOCH,      // at an epoch's end and after the last step, after validation: epoch, train,
                      // validation
    TRAIN_FINDING,    // finding: told once
    TRAIN_DIAGNOSIS,  // findings, view: all that holds now, where that has changed, and at the end
} TrainEventKind;

typedef struct TrainEvent {
    TrainEventKind kind;
    int64_t step;  // steps done
    int64_t epoch; // the epoch it belongs to, from 1
    double loss, learning_rate, gradient_norm, clipped_gradient_norm;
    double samples_per_second;
    const LayerStatistics *layers;     // [model_layers]
    const LayerHistograms *histograms; // [histogram_layers]
    int histogram_layers;
    int64_t interval;   // of those taken before only multiples of this are still of use
    Metrics train;      // means over the epoch's training rows (loss, accuracy)
    Metrics validation; // NAN throughout without validation rows
    bool best; // better than every epoch before, by early_stopping's metric (val_loss without)
    const Finding *finding;
    const Finding *findings; // [finding_count], the likeliest root cause first
    int finding_count;
    const RuleView *view; // what they were found by
} TrainEvent;

typedef struct Trainer Trainer;

typedef struct TrainerHooks {
    void *context;
    void (*event)(void *context, const TrainEvent *event); // NULL: nobody listens
    // Called when checkpoint_seconds have passed: a chance to call trainer_save. NULL: no
    // checkpoints. An error other than OK ends the run with that error.
    int (*checkpoint)(void *context, Trainer *trainer);
    bool (*pause)(void *context); // as in parallel.h, for all the run's loops; NULL: none
    const atomic_bool
        *stop; // NULL, or: set from outside, the run ends with ERR_STOPPED after the step under way
    const atomic_bool
        *finish; // NULL, or: set from outside, the step under way is the last: it ends
                 // an epoch, and the run as if no more had been asked for
} TrainerHooks;

// The job is borrowed. Starts BLAS and the parallel loops with the job's threads.
int trainer_create(const Job *job, const TrainerHooks *hooks, Trainer **ret_trainer);
void trainer_destroy(Trainer *trainer); // takes NULL

// Runs to the end: OK (also when stopped early by early_stopping or `finish`), ERR_STOPPED, ERR_DIVERGED (after
// the finding event), or what a hook returned.
int trainer_run(Trainer *trainer);

// In place of a run: at most 200 steps and so many seconds on the first batch alone, at the job's own rate, then one look at what
// they show (TRAIN_DIAGNOSIS). It writes nothing and keeps no checkpoint. A net that cannot fit one batch will not fit them all
// (Karpathy, A Recipe for Training Neural Networks, 2019). Errors as of trainer_run.
int trainer_probe(Trainer *trainer, double seconds);

int64_t trainer_step(const Trainer *trainer);              // steps done
int64_t trainer_best_epoch(const Trainer *trainer);        // 0: none yet
const Metrics *trainer_validation(const Trainer *trainer); // newest
const Metrics *trainer_best(const Trainer *trainer);
// Metrics of the dataset's test rows under the final weights; false where it has none.
bool trainer_test(Trainer *trainer, Metrics *ret_metrics);
// What it takes for what on the validation rows under the final weights. ERR_NOT_FOUND: the targets are no classes, or too many,
// or there are no such rows. ERR_NO_MEMORY. The names are the dataset's.
int trainer_confusion(Trainer *trainer, Confusion *ret_confusion);
const Real *trainer_weights(const Trainer *trainer);

// A checkpoint: weights, optimizer slots, step, order and place in it, early stopping's state and
// best weights, dataset's hash, BLAS core and threads. trainer_load refuses (ERR_CONFLICT) one of
// another job, dataset, core or thread count, or beyond step `latest`, and ERR_DAMAGED a damaged
// one; then the run starts anew or from the older checkpoint.
int trainer_save(const Trainer *trainer, int directory, const char *path);
int trainer_load(Trainer *trainer, int directory, const char *path, int64_t latest);

// The trained model as an archive (see core/model/predictor.h). `spec` is the job's spec as text.
// ret_sha256: of the weights (model_hash_weights); ret_bytes: of the file.
int trainer_save_model(const Trainer *trainer, int directory, const char *path, const char *spec,
                       char ret_sha256[65], size_t *ret_bytes);
