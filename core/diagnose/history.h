// What a run has been so far, in a few hundred bytes a layer: what the rules judge by.
//
// A magnitude at one step says little; what it was at first, over the newest stretch and at its worst says more. The newest
// stretch is a window that doubles: it covers at least the last quarter of the records and at most the last half, whatever
// their number. Plain data without pointers, so a checkpoint keeps it whole and a resumed run is judged as one never
// interrupted. Adding takes some nanoseconds a step, and what a record of all layers takes in the passes dwarfs it.
#pragma once
#include "core/diagnose/statistics.h"

enum {
    HISTORY_CURVE = 64, // points of the loss's curve; pairs are merged when it is full
    HISTORY_EARLY = 8,  // records that count as the beginning
};

// Means over a stretch of records; NAN where there was nothing.
typedef struct Stretch {
    int64_t records;
    double gradient_norm, weight_norm, update_ratio, activation_std, dead_fraction,
        saturated_fraction; // sums
    double
        dead_least; // the least dead_fraction: units idle in one batch and not in another are not dead
} Stretch;

typedef struct LayerHistory {
    LayerStatistics first; // of the first record
    Stretch early, before, now;
    double start_norm; // ‖w‖ before training
    double
        start_scale; // of its kernel before training: rms against that of the default initialiser; NAN: no kernel
    double start_duplicates; // share of units whose kernel column equals another's; NAN: no kernel
    double travel; // Σ ‖Δw‖ / ‖w‖ over all steps (those between records as the record before)
    double update_peak; // greatest ‖Δw‖ / ‖w‖ …
    int64_t update_peak_step;
    int64_t dead_since, saturated_since,
        still_since; // first step of an unbroken stretch up to now; 0: none
} LayerHistory;

typedef struct LossPoint {
    int64_t last_step, steps;
    double sum, least, greatest;
} LossPoint;

typedef struct EpochPoint {
    int64_t epoch, step;
    double train_loss, train_metric, val_loss,
        val_metric; // metric: accuracy, or R²; NAN where there is none
} EpochPoint;

typedef struct History {
    // Of whoever looks: the step of the next look, and a fingerprint of what was told last.
    int64_t next_look;
    uint64_t told;
    int64_t steps, records;
    double first_loss, least_loss, greatest_loss, last_loss;
    double first_gradient; // norm of the first step's
    double gradient_peak;
    int64_t gradient_peak_step;
    double gradient_mean; // running, over some 50 steps
    double learning_rate; // newest
    LossPoint curve[HISTORY_CURVE];
    int points;
    int64_t point_steps; // steps that a point of the curve covers
    int64_t record_step; // of the newest record
    // Epochs.
    int64_t epochs;
    EpochPoint first_epoch, best, last; // best: of the least validation loss
    double best_metric;                 // best val_metric of any epoch
    double best_train_metric;
    int64_t swings; // epochs whose val_metric turned by 0.03 or more against the last turn
    double swing_metric, swing_direction;
    double val_roughness; // Σ |change of val_loss| over epochs
    int layers;
    LayerHistory layer[]; // [layers]
} History;

size_t history_bytes(int layers);
void history_init(History *history, int layers);
void history_step(History *history, int64_t step, double loss, double gradient_norm,
                  double learning_rate);
void history_record(History *history, int64_t step, const LayerStatistics *layers);
void history_epoch(History *history, const EpochPoint *point);

// The newest stretch of a layer.
const Stretch *history_late(const LayerHistory *layer);
double stretch_mean(const Stretch *stretch, double sum); // NAN without records
// Share of the steps before the loss first fell below `level`; 1 where it never did.
double history_stuck(const History *history, double level);
// Mean loss from fraction `from` to `to` of the steps so far.
double history_loss(const History *history, double from, double to);
