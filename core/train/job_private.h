// What the files of a job share: a job from the inside.
#pragma once
#include "core/train/job.h"

struct Job {
    Arena arena; // parameters and their texts
    const Dataset *dataset;
    Task task;
    Model *model;
    TrainingParams training;
    int threads;
    bool binary;
    JobRows rows;
    int32_t *row_numbers; // [dataset rows] that JobRows points into
    Real *class_weights;  // [classes], or NULL
    int64_t steps, steps_per_epoch, batch_rows, record_every;
};

// Fills job->rows and what follows from it: batch, steps, class weights. ERR_INVALID with issues
// under `path`, that of the training object.
int job_split(Job *job, const Path *path, Issues *issues);
