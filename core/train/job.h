// A training job, read and checked: model, loss, optimizer, schedule and the rest, fitted to a
// dataset.
//
// Reads the members "model" and "training" of a job's object (model.md); the other members are the
// server's.
#pragma once
#include "core/diagnose/rule.h"
#include "core/losses/losses.h"
#include "core/optimizers/optimizers.h"
#include "core/schedules/schedules.h"
#include "core/train/augmentations/augmentations.h"
#include "core/train/dataset.h"

typedef struct EarlyStoppingParams {
    const char *metric; // "val_loss", …
    int64_t patience;
    double min_delta;
    bool restore_best;
} EarlyStoppingParams;

typedef struct TrainingParams { // the table of training keys is training_desc's
    Selection loss;
    int64_t epochs, steps; // 0: not given; one of them is set
    int64_t batch_size;    // 0: "full"
    Selection optimizer, schedule;
    double clip_norm, clip_value; // NAN: none
    double validation_split;
    Value early_stopping;            // read into the next one
    const EarlyStoppingParams *stop; // NULL: off
    bool standardize;
    SelectionList augment;
    Value phases;            // see JobPhase
    int64_t sequence_length; // of a language model; 0 otherwise
    int64_t seed;
    int64_t record_every; // 0: chosen
    double checkpoint_seconds;
    bool stop_on_divergence;
} TrainingParams;

extern const Desc training_desc;       // the keys of `training`, for the catalog too
extern const Desc early_stopping_desc; // and those of its early_stopping
extern const Desc phase_desc;          // and those of each of its phases

// A stretch of the run under one optimizer, schedule and batch size. A job without `phases` has one.
typedef struct JobPhase {
    Selection optimizer, schedule;
    int64_t batch_rows, steps_per_epoch;
    int64_t begin, end;  // steps begin + 1 … end
    int64_t first_epoch; // epochs before it
    int64_t
        memory_begin; // step before the first that the optimizer's slots remember, at most `begin`
} JobPhase;

// Which rows of the dataset train, validate and test.
typedef struct JobRows {
    const int32_t *train, *validation, *test; // [..._count]
    int64_t train_count, validation_count, test_count;
} JobRows;

typedef struct Job Job;

// `spec` and `dataset` are borrowed and must outlive the job. Every error of the spec comes at
// once, with its pointer.
int job_create(Value spec, const Dataset *dataset, int threads, Issues *issues, Job **ret_job);
// What can be told of a spec without its dataset, as issues: for those whose dataset is wrong as well. ERR_NO_MEMORY.
int job_check_words(Value spec, Issues *issues);
void job_destroy(Job *job); // takes NULL

// The model that the job starts from (model.initial), opened: its weights of the same names and shapes are the job's first.
// The archive becomes the job's in any case. ERR_INVALID with an issue where no weight fits.
int job_start_from(Job *job, Archive *initial, Issues *issues);
// Puts the weights that start from it over the drawn ones [graph_weight_elements].
void job_first_weights(const Job *job, Real *weights);

const Model *job_model(const Job *job);
Value job_spec(const Job *job); // what it was read from: what remedies are patches of
const TrainingParams *job_training(const Job *job);
const Dataset *job_dataset(const Job *job);
const Task *job_task(const Job *job); // the dataset's, as this job has it
int job_threads(const Job *job);
size_t job_phases(const Job *job); // at least 1
const JobPhase *job_phase(const Job *job, size_t index);
const JobPhase *job_phase_at(const Job *job, int64_t step); // that of a step, from 1
int64_t job_steps(const Job *job);                          // of the whole run
int64_t job_epochs(const Job *job);
int64_t job_epoch_at(const Job *job, int64_t step); // that of a step; both from 1
int64_t job_samples(const Job *job, int64_t step);  // rows trained on by the end of a step
int64_t job_record_every(const Job *job);
int64_t job_batch_rows(const Job *job); // of the largest batch
int phase_slots(const JobPhase *phase); // arrays, as long as the weights, that its optimizer keeps
int job_slots(const Job *job);          // the most that any phase keeps
const JobRows *job_rows(const Job *job);
bool job_reads_images(const Job *job); // inputs of rank 3, or of rank 2 beside a conv2d
const LossDesc *job_loss(const Job *job);
const Real *job_class_weights(const Job *job); // [classes], or NULL
// Two classes told apart by one output under binary_cross_entropy: a class's number is the target
// value.
bool job_binary(const Job *job);
// Numbers from 0 to 1 under binary_cross_entropy, of which the outputs are logits.
bool job_fractions(const Job *job);

// Members "model" and "training" of the object that is open, every default filled in.
void job_write_spec(const Job *job, const ValueWriter *out);
// The plan of http.md as an object under `key`: parameters, layers (name, type, output_shape,
// parameters, flops), flops_per_step, memory_bytes, memory (JobMemory by name), steps, estimated_seconds.
// ERR_TOO_LARGE, and nothing written, where the job is too large to be planned.
int job_write_plan(const Job *job, const char *key, const ValueWriter *out);

// What a job's worker will hold beyond what an idle one does, in bytes; SIZE_MAX where a size overflows.
typedef struct JobMemory {
    size_t
        weights; // the best so far, where early stopping restores them, and the model they start from
    size_t gradients;   // of the weights
    size_t optimizer;   // its state: momentum and the like
    size_t activations; // of a training step: values, their gradients, what layers save, the batch
    size_t evaluation;  // the same of validation and testing, which only go forward
    size_t dataset;     // its file, mapped, and the rows in their order
    size_t runtime;     // what every job takes: code, stacks, small arrays, the products' blocks
    size_t total;
} JobMemory;

double job_seconds(const Job *job); // how long it will run, roughly: see job_seconds.c

// With this many rows in a batch; SIZE_MAX in all where no machine has so much. ERR_NO_MEMORY.
int job_memory(const Job *job, int64_t batch_rows, JobMemory *ret_memory);
// The largest batch with which the job stays within `bytes`; 0: none does.
int64_t job_fitting_batch(const Job *job, size_t bytes);
// Findings of the rules that judge a spec alone: calls `found` for each.
void job_findings(const Job *job, void (*found)(void *context, const Finding *finding),
                  void *context);
