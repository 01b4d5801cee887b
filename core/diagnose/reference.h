// What plain methods reach on the same rows, so that a run has something to be held against: numbers in arrays, no training.
#pragma once
#include "core/diagnose/facts.h"

// Rows as the net gets them; features are standardised here where `standardise`.
typedef struct Sample {
    int64_t rows, judged; // training rows, and validation rows
    int64_t width;        // features
    float *x;             // [rows + judged, width], changed by reference_judge
    int32_t *classes;     // [rows + judged], or NULL
    int64_t class_count;
    double *values;         // [rows + judged] numbers to be told (the first output's), or NULL
    const int32_t *numbers; // [rows + judged] of the dataset
    bool standardise;
} Sample;

// Fills constant_metric, reference_metric, its error and name, absurd rows: nearest neighbours and class means for classes,
// neighbours and least squares for numbers. `work`: multiplications that it may take for looking at labels. ERR_NO_MEMORY.
int reference_judge(const Sample *sample, double work, Survey *survey);
// Of inputs and targets as they are: scales, offsets, shift, features that tell the target.
void reference_measure(const Sample *sample, Survey *survey);
