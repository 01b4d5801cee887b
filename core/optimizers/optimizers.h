// The registry of optimizers: plain arithmetic on flat arrays, update rules as PyTorch's.
//
// Probes hold parameters: {"learning_rate": 0.1, "momentum": 0.9}.
#pragma once
#include "core/base/descriptor.h"
#include "core/base/real.h"

// Every optimizer's parameter struct begins with this.
typedef struct OptimizerCommon {
    double learning_rate; // before the schedule
    double weight_decay;  // L2 in the gradient; decoupled in adamw and lion
} OptimizerCommon;

enum { OPTIMIZER_SLOTS_MAX = 3 };

typedef struct OptimizerCall {
    const void *params;
    double learning_rate;  // after the schedule
    int64_t step;          // from 1, for bias correction
    double gradient_scale; // clipping by norm: every gradient is multiplied by it first
    double clip_value;     // then bounded to ±clip_value; INFINITY: no bound
    size_t count;
    Real *weights;                    // [count], updated
    const Real *gradients;            // [count]
    Real *slots[OPTIMIZER_SLOTS_MAX]; // each [count], zeros before the first step, updated
} OptimizerCall;

// Sums that the step gathers on its way, for the update ratio ‖Δw‖ / ‖w‖ (w after the step).
typedef struct OptimizerSums {
    double update_squares, weight_squares;
} OptimizerSums;

typedef struct OptimizerDesc {
    Desc desc;
    int (*slots)(const void *params);                      // how many it uses
    const char *slot_names[OPTIMIZER_SLOTS_MAX];           // in checkpoints: "momentum", "second_moment", …
    OptimizerSums (*step)(const OptimizerCall *call);
} OptimizerDesc;

extern const Registry optimizer_registry; // "optimizer"
const OptimizerDesc *optimizer_find(const char *name);
