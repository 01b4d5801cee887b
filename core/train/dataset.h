// A dataset as training reads it: an archive mapped read-only ("datasets/ds_….bpa").
//
//   "task"         text: task_name
//   "inputs"       f32 [rows, …]; NaN: missing
//   "targets"      i32 [rows] class numbers, or f32 [rows, width]
//   "class_names"  bytes: NUL-terminated names one after the other (classification)
//   "feature_names" bytes: likewise, where rows are tables
//   "splits"       u8 [rows]: 0 train, 1 validation, 2 test; absent: the job splits
//   "columns"      text: JSON of the server's, carried into the model as it is
#pragma once
#include "core/base/archive.h"
#include "core/model/task.h"

typedef enum DatasetSplit { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST } DatasetSplit;

typedef struct Dataset {
    Archive *archive; // owned
    Task task;
    int64_t rows;
    int64_t input_width;    // numbers a row
    const float *inputs;    // [rows, input_width]
    const int32_t *classes; // [rows], classification
    const float *values;    // [rows, task.outputs], regression
    const uint8_t *splits;  // [rows], or NULL
} Dataset;

int dataset_open(int directory, const char *path, bool verify, Dataset **ret_dataset);
void dataset_close(Dataset *dataset);                                  // takes NULL
const char *dataset_class_name(const Dataset *dataset, int64_t index); // NULL
