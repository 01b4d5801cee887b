// What the files of a job share: a job from the inside.
#pragma once
#include "core/train/lr_range.h"

// A phase as it was given: what is not named is the training object's.
typedef struct PhaseParams {
    int64_t epochs; // 0: not named, until the phases are laid out
    Selection optimizer, schedule;
    int64_t batch_size; // 0: "full"; −1: not named
} PhaseParams;

struct Job {
    Arena arena; // parameters and their texts
    Value spec;  // borrowed: what it was read from
    const Dataset *dataset;
    Task task;
    Model *model;
    TrainingParams training;
    int threads;
    bool binary;
    JobRows rows;
    int32_t *row_numbers; // that JobRows points into
    Real *class_weights;  // [classes], or NULL
    PhaseParams *given;   // [given_count], 0 without phases
    size_t given_count;
    JobPhase *phases; // [phase_count]
    size_t phase_count;
    Archive *initial;    // owned; NULL: the weights are drawn
    int initial_weights; // that start from it
    struct {
        char name[ARCHIVE_NAME_MAX + 1], shape[SHAPE_TEXT];
    } first_drawn;        // the first that does not: findings borrow its words
    const void **augment; // [training.augment.count] what each prepared
    int64_t record_every;
    const LrRangeParams *lr_range; // NULL: an ordinary training
};

// All: ERR_INVALID with issues under `path`, that of the training object.
// Fills job->rows and what follows from it: phases, class weights.
int job_split(Job *job, const Path *path, Issues *issues);
// How many of `rows` rows validation_split takes.
int64_t job_validation_rows(const Job *job, int64_t rows);
// Fills job->rows.test with the rows that can be judged, of a DatasetSplit or (−1) all.
int job_judge(Job *job, int split);
// A job that trains nothing: all its rows are for testing. `spec`, borrowed for the call, and `task` are a trained model's, which
// the dataset fits already (align.h). ERR_INVALID with issues at "/dataset" and "/split"; ERR_DAMAGED: the spec.
int job_create_judge(Value spec, const Dataset *dataset, const Task *task, int split,
                     Issues *issues, Job **ret_job);
// Reads "kind" and "lr_range" of the job.
int job_read_lr_range(Job *job, Value spec, Issues *issues);
// Makes the one phase the range test's.
int job_lay_lr_range(Job *job, JobPhase *phase);
void job_write_lr_range(const Job *job, const ValueWriter *out); // nothing for others
// Reads the list of phases.
int job_read_phases(Job *job, const Path *path, Issues *issues);
// Lays the run out over its phases, once the rows are known.
int job_lay_phases(Job *job, const Path *path, Issues *issues);
// Fits the augmentations to the rows, once the model is there.
int job_fit_augment(Job *job, const Path *path, Issues *issues);
void job_initial_findings(const Job *job, void (*found)(void *context, const Finding *finding),
                          void *context);
void job_write_phases(const Job *job, const char *key, const ValueWriter *out);
