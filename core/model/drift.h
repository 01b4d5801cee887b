// Whether the inputs that a model is asked about still come from where its training rows came from.
//
// A row is described by some numbers: a table's row by its columns; an image, and any other row of rank 2 or more, by the mean and
// the deviation of its numbers; a window of a series by its last step, as the net reads it; a text by its length and its share of
// unknown words; a graph by its nodes and edges, and the means of its features where they are few. With the model lie, for each of
// them, its range over the training rows and how many rows fell between its deciles, or were missing (what equal values leave of
// ten bins). Two statistics see two things:
//
//   outside        a number is further beyond the training range than three times that range. One row is enough for it: of rows
//                  that are exchangeable with the training rows a new extreme has the probability 2 / (n + 1), and even tails as
//                  heavy as 1 / x leave a quarter of that beyond this bound. Features that never changed in training have no range.
//   distribution   the rows' shares of the bins differ: Pearson's chi-square test of homogeneity (two samples), p by Wilson &
//                  Hilferty 1931, below 0.0001 divided by the number of features; and by more than a little: the population
//                  stability index Σ (q − p) ln (q / p) is above 0.25 (Siddiqi 2006: Credit risk scorecards, "significant shift";
//                  its dependence on the sample: Yurdakul & Naranjo 2020). From 20 rows on: fewer prove nothing. Not for series,
//                  whose neighbouring windows are no sample.
//
// In a model's archive:
//   "drift.rows"     i64 [1] training rows counted
//   "drift.counts"   i32 [features, DRIFT_BINS], the last bin is of missing numbers
//   "drift.edges"    f32 [features, DRIFT_EDGES] upper ends of the bins but the last one, ascending; NaN: fewer
//   "drift.range"    f32 [features, 2] least and greatest
#pragma once
#include "core/base/archive.h"
#include "core/model/forecast.h"
#include "core/model/graph_data.h"
#include "core/model/task.h"

enum {
    DRIFT_EDGES = 9,
    DRIFT_BINS = DRIFT_EDGES + 2,
    DRIFT_MISSING = DRIFT_BINS - 1,
    DRIFT_ROWS_MIN = 20,
    DRIFT_FEATURES_MAX = 4096,
};

typedef struct DriftReference { // borrowed from the archive
    int64_t features, rows;
    const int32_t *counts; // [features, DRIFT_BINS]
    const float *edges;    // [features, DRIFT_EDGES]
    const float *range;    // [features, 2]
} DriftReference;

// ERR_NOT_FOUND: the model has none. ERR_DAMAGED.
int drift_load(const Archive *archive, DriftReference *ret_reference);
// Of numbers [rows, features], NaN: missing. Adds the sections.
int drift_save(const double *numbers, int64_t rows, int64_t features, ArchiveWriter *writer);

// How many numbers describe a row of the task; 0: rows are not looked at (nodes of one graph, corpora, too wide tables).
// forecast: NULL where it forecasts nothing.
int64_t drift_width(const Task *task, const Forecast *forecast);
// The numbers of a row that is no graph, as predictor_run takes it: values [input width], of which a text has `length`.
// window [input width] is for its use, where it forecasts.
void drift_describe(const Task *task, const Forecast *forecast, const float *values, int64_t length,
                    float *window, double *ret_numbers);
void drift_describe_graph(const Task *task, const GraphData *data, int64_t graph,
                          double *ret_numbers);

// Rows counted into the bins of a reference.
typedef struct DriftCounts {
    int64_t rows;
    int64_t *bins;    // [features, DRIFT_BINS]; NULL: not wanted
    int64_t *outside; // [features]
} DriftCounts;

int drift_counts_init(DriftCounts *counts, int64_t features, bool bins);
void drift_counts_finish(DriftCounts *counts); // of a zeroed one too
// Counts a row's numbers [features]; NaN: missing.
void drift_count(const DriftReference *reference, const double *numbers, DriftCounts *counts);
void drift_counts_add(DriftCounts *counts, const DriftCounts *more, int64_t features);
void drift_counts_halve(DriftCounts *counts, int64_t features);

typedef struct DriftTest {
    double index; // population stability index
    double p;     // of the chi-square test; 1 where too few rows or one bin
    bool outside, distribution;
} DriftTest;

void drift_test(const DriftReference *reference, const DriftCounts *counts, int64_t feature,
                bool distributions, DriftTest *ret_test);
