// What the doctor looks at: for every layer, per recorded step, gathered while a step runs (a
// PlanObserver), while the data is in the cache. Gradients are measured before clipping, or
// clipping would hide what the rules look for.
#pragma once
#include "core/diagnose/histogram.h"
#include "core/model/model.h"

typedef struct LayerStatistics {
    double gradient_norm; // ‖g‖₂ over the layer's weights, before clipping; NAN: it has none
    double weight_norm;   // ‖w‖₂ after the step
    double update_ratio;  // ‖Δw‖₂ / ‖w‖₂
    double activation_mean; // of its output
    double activation_std;
    double
        dead_fraction; // units (last axis) whose output is 0 for the whole batch; NAN: cannot die
    double saturated_fraction; // elements at the activation's bounds; NAN: has none
} LayerStatistics;

//  X(field): the series' names, in this order
#define LAYER_STATISTICS(X)                                                                        \
    X(gradient_norm)                                                                               \
    X(weight_norm)                                                                                 \
    X(update_ratio) X(activation_mean) X(activation_std) X(dead_fraction) X(saturated_fraction)

typedef struct Statistics Statistics;

int statistics_create(const Model *model, Statistics **ret_statistics);
void statistics_destroy(Statistics *statistics);
// Before a step: `record` says whether activations are measured too; gradient norms always are
// (clipping needs them). On the pool's threads; NULL: on the caller's alone. histograms [model_layers]: gets
// those of the activations; NULL: they are not wanted.
const PlanObserver *statistics_begin(Statistics *statistics, Parallel *parallel,
                                     const Real *gradients, bool record,
                                     LayerHistograms *histograms);
double statistics_gradient_norm(const Statistics *statistics); // global, after the backward pass
// After a layer's optimizer step.
void statistics_updated(Statistics *statistics, int layer, double update_squares,
                        double weight_squares);
const LayerStatistics *statistics_layers(const Statistics *statistics); // [model_layers]
