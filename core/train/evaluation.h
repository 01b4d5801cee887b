// A trained model measured on a dataset: what it would have been told, had it validated there. The dataset need not be the one
// that it was trained on; it is made to speak as that one did.
//
//   evaluation_create → evaluation_run → evaluation_destroy
//
// Runs in the memory of the weights and of one plan for a few hundred rows.
#pragma once
#include "core/train/confusion.h"
#include "core/train/dataset.h"
#include "core/train/trainer.h"

typedef struct Evaluation Evaluation;

typedef struct EvaluationOptions {
    // Which of a row's numbers each of the model's inputs is, where columns have names: [the model's input width], −1: 0.
    // NULL: as they stand. Borrowed.
    const int32_t *places;
    int split; // a DatasetSplit: its rows alone; −1: all that have a target
} EvaluationOptions;

// `spec`: the job's spec of the model's archive, borrowed for the call. Archive and dataset are borrowed until the end, the
// dataset changed to fit the model. ERR_INVALID with issues at "/dataset" and "/split": it does not fit.
int evaluation_create(Value spec, const Archive *model, Dataset *dataset,
                      const EvaluationOptions *options, Issues *issues,
                      Evaluation **ret_evaluation);
void evaluation_destroy(Evaluation *evaluation); // takes NULL
const Task *evaluation_task(const Evaluation *evaluation);
// The loss is in the unit in which the net learned, its class weights among them. The confusion is borrowed from the evaluation;
// NULL where the targets are no classes, or too many.
void evaluation_run(Evaluation *evaluation, Metrics *ret_metrics, const Confusion **ret_confusion);
