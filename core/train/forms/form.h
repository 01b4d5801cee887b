// The forms of datasets: what lies in an archive, and how its rows become batches.
//
// A form is one file with one `const FormDesc form_NAME`; the archive's section "form" has the name, and without it the
// form is "rows". What is NULL below is as for plain rows.
#pragma once
#include "core/base/descriptor.h"
#include "core/model/scaler.h"
#include "core/train/batches.h"
#include "core/train/dataset.h"
#include "core/train/job.h"

typedef struct FormDesc {
    Desc desc;
    // Reads the form's sections and checks each against the others: after that nothing asks again whether a number is
    // within its bounds. Sets rows, task and what else the form has; task.kind is set already. What it allocates goes to
    // dataset->owned. ERR_DAMAGED where anything does not fit.
    int (*open)(Dataset *dataset);

    // ---- a job on it ----

    // The task as this job has it: job->task is the dataset's (sequence_length of a language model). ERR_INVALID with
    // issues under `path`, that of the training object. NULL: as it is.
    int (*adapt)(Job *job, const Path *path, Issues *issues);
    // Fills job->rows, whose arrays lie in job->row_numbers, which it makes. NULL: by the dataset's splits, else by the
    // seed.
    int (*split)(Job *job);
    // Fills job->rows.test with all rows that can be judged: of a DatasetSplit, or (−1) of any. NULL: those that have a
    // target.
    int (*judge)(Job *job, int split);
    // Makes the dataset speak as the one of `model`, whose task this is (core/train/align.h): shape, tokens, whatever is the
    // form's own. NULL: shapes hold as many numbers, or dataset->places says which they are.
    int (*align)(Dataset *dataset, const Archive *model, const Task *task, Issues *issues);
    // The training rows in the order of an epoch, from 1. NULL: shuffled by seed and epoch.
    void (*order)(const Job *job, int64_t epoch, int32_t *order);
    // What a plan for batches of `rows` rows holds at most: max_rows, max_nodes, max_edges. NULL: max_rows = rows.
    void (*extent)(const Job *job, int64_t rows, PlanOptions *options);
    // The scaling of inputs by the training rows. NULL: none.
    int (*fit_inputs)(const Job *job, Scaler *ret_scaler);
    // The scaling of targets that are numbers, given that of the inputs. NULL: by dataset->values of the training rows.
    int (*fit_targets)(const Job *job, const Scaler *inputs, Scaler *ret_scaler);
    // Fills what is the same in every batch, once its memory is there. NULL: nothing is. ERR_NO_MEMORY.
    int (*prepare)(Batch *batch);
    // Writes rows [count] of the dataset to the batch: inputs, and lengths or graphs where the task has them; targets
    // (classes or values), with batch->targets saying how many.
    void (*gather)(Batch *batch, const int32_t *rows, int64_t count);
    // The row's own target in the user's unit: values [task.outputs]. NULL: dataset->values.
    void (*target)(const Dataset *dataset, int32_t row, double *values);
    // Brings what the net gave for a row, unscaled, into that unit: values [task.outputs]. NULL: it is in it.
    void (*undo)(const Dataset *dataset, int32_t row, double *values);
} FormDesc;

extern const Registry form_registry; // "form"
const FormDesc *form_find(const char *name);

// ---- for the forms' own files ----

// align of graphs: as many features, in the same order where both have names.
int form_align_nodes(Dataset *dataset, const Archive *model, const Task *task, Issues *issues);
// "targets", "class_names" and "splits" as dataset.h names them; `count` targets. Classes of −1 and
// numbers that are NaN (no target) are refused unless `gaps`.
int form_read_targets(Dataset *dataset, int64_t count, bool gaps);
// Whether the row is in this DatasetSplit, or (−1) in whichever. All train where the dataset has no splits.
bool form_in_split(const Dataset *dataset, int64_t row, int split);
int form_read_splits(Dataset *dataset, int64_t count); // "splits" alone
// Targets of the rows, one each: classes as they are, values scaled.
void form_gather_targets(Batch *batch, const int32_t *rows, int64_t count);
