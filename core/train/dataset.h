// A dataset as training reads it: an archive mapped read-only ("datasets/ds_….bpa").
//
//   "task"         text: task_name
//   "form"         text: which of core/train/forms/ reads the rest; absent: "rows"
//   "targets"      i32 [targets] class numbers, or f32 [targets, width]
//   "class_names"  bytes: NUL-terminated names one after the other (classification)
//   "feature_names" bytes: likewise, where rows are tables
//   "tokenizer", "vocabulary"   where inputs are tokens: core/tokens/vocabulary.h
//   "splits"       u8 [targets]: 0 train, 1 validation, 2 test, 3 none of them; absent: the job splits
//   "columns"      text: JSON of the server's, carried into the model as it is
#pragma once
#include "core/base/archive.h"
#include "core/model/task.h"

typedef enum DatasetSplit { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLIT_NONE } DatasetSplit;

struct FormDesc;

typedef struct Dataset {
    Archive *archive; // owned
    const struct FormDesc *form;
    Task task;
    int64_t rows;           // what a target belongs to: rows, texts, tokens, windows, nodes, graphs
    const float *inputs;    // row r's numbers begin at inputs + r · stride; NULL: not there
    int64_t stride;         // of rows: numbers of one; of a series: its columns
    const int32_t *tokens;  // ids of texts, one text after the other; of a corpus: all of it
    const uint8_t *bytes;   // a corpus of few different tokens, in place of `tokens`
    int64_t text_tokens;    // of a corpus: those before its text for testing
    const int64_t *starts;  // [rows + 1] of texts: where in `tokens` each begins
    const int32_t *lengths; // [rows] where they differ; else NULL
    const int32_t *classes; // [rows], classification; −1: a node without one
    const float *values;    // [rows, task.outputs], regression; NaN: likewise
    const uint8_t *splits;  // [rows], or NULL
    Arena owned;            // what the form made of the archive
    const void *more;       // the form's own, in `owned`
    // What align.h puts between the archive's numbers and a model's; else NULL:
    const int32_t *places;    // [task.input] which of a row's numbers each is; −1: 0
    const int32_t *token_ids; // [its own vocabulary] the model's id of each token
} Dataset;

int dataset_open(int directory, const char *path, bool verify, Dataset **ret_dataset);
void dataset_close(Dataset *dataset);                                  // takes NULL
const char *dataset_class_name(const Dataset *dataset, int64_t index); // NULL
