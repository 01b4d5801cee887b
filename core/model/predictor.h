// A trained model ready to answer. Its archive ("models/mdl_….bpa") holds
//
//   "spec"          text: the job's spec as JSON, defaults filled in; read by the caller
//   "task", "task.…"        what task_save writes
//   "loss"          text: its name; cross_entropy means softmax over the outputs,
//                   binary_cross_entropy a sigmoid, of two classes or of fractions
//   "class_names"   bytes: NUL-terminated names one after the other (classification)
//   "class_weights" f32 [classes]: those that the loss had, where it had any
//   "columns"       text: the dataset's columns as JSON; read by the caller
//   "input.…", "target.…"   scalers
//   "series.…"      of forecasts: see core/model/forecast.h
//   "inputs" or "features.…", "edges"   of nodes of one graph: that graph; see core/model/graph_data.h
//   "layer.weight"  f32: the weights
//
// A predictor is used by one thread at a time, but for what others only read of it: model, weights, names.
#pragma once
#include "core/base/archive.h"
#include "core/model/forecast.h"
#include "core/model/graph_data.h"
#include "core/model/model.h"
#include "core/model/scaler.h"

typedef struct Predictor Predictor;

// `spec` is the "model" object of the archive's spec. The archive is borrowed for the length of the
// call.
int predictor_create(Value spec, const Archive *archive, int64_t max_rows,
                     Predictor **ret_predictor);
void predictor_destroy(Predictor *predictor); // takes NULL
const Model *predictor_model(const Predictor *predictor);
const Real *predictor_weights(const Predictor *predictor); // flat, for export
bool predictor_classifies(const Predictor *predictor);
const Task *predictor_task(const Predictor *predictor);
const Forecast *predictor_forecast(const Predictor *predictor); // NULL: it forecasts nothing
int64_t predictor_input_width(const Predictor *predictor);      // numbers a row, or a node
int64_t predictor_output_width(const Predictor *predictor);     // numbers a target
int64_t predictor_classes(const Predictor *predictor); // probabilities a row; 0 for numbers
const char *predictor_class_name(const Predictor *predictor, int64_t index);
const Scaler *predictor_input_scaler(const Predictor *predictor);
const Scaler *predictor_target_scaler(const Predictor *predictor); // NULL: it predicts classes
bool predictor_binary(const Predictor *predictor); // one output tells two classes apart

// What is asked. Numbers are in the user's units, NaN: missing; tokens are their ids.
typedef struct PredictorInput {
    int64_t rows;
    const float *values;     // [rows, input_width]
    const int32_t *lengths;  // [rows] where rows are sequences; else NULL
    const GraphData *graphs; // where the model reads graphs: these, and neither values nor rows
} PredictorInput;

// How many targets an input has: its rows, the steps of all its rows, its nodes or its graphs.
int64_t predictor_targets(const Predictor *predictor, const PredictorInput *input);
// outputs [targets, output_width]: logits, or numbers in the target's own unit. probabilities [targets, classes], or
// NULL. Any number of rows: runs in pieces of max_rows, in memory that the first run makes; graphs run at once, in memory that is released again.
// ERR_TOO_LARGE, ERR_NO_MEMORY.
int predictor_run(Predictor *predictor, const PredictorInput *input, float *outputs,
                  float *probabilities);
