// What a model answers to the inputs of a request.
#pragma once
#include "server/routes/model_inputs.h"

typedef struct Prediction { // a zeroed one is ready to use
    int64_t rows;
    float *outputs;       // [rows, output width], owned
    float *probabilities; // [rows, classes], owned; NULL for numbers
} Prediction;

// ERR_TOO_LARGE, ERR_NO_MEMORY.
int prediction_run(const LoadedModel *model, const ModelInputs *inputs, Prediction *prediction);
void prediction_finish(Prediction *prediction);
// The name of a row's likeliest class, where the model tells classes.
const char *prediction_class(const LoadedModel *model, const Prediction *prediction, int64_t row);
