// The registry of optimizers: plain arithmetic on flat arrays, update rules as PyTorch's.
//
// Probes hold parameters: {"learning_rate": 0.1, "momentum": 0.9}.
#pragma once
#include <math.h>
#include <stddef.h>
#include "core/base/descriptor.h"
#include "core/base/parallel.h"
#include "core/base/real.h"

// Every optimizer's parameter struct begins with this.
typedef struct OptimizerCommon {
    double learning_rate; // before the schedule
    double weight_decay;  // L2 in the gradient; decoupled in adamw and lion
} OptimizerCommon;

// The rows of the common parameters in an entry's table.
#define OPTIMIZER_COMMON_PARAMS(default_rate, default_decay)                                       \
    {.name = "learning_rate",                                                                      \
     .type = PARAM_NUMBER,                                                                         \
     .offset = offsetof(OptimizerCommon, learning_rate),                                           \
     .default_number = (default_rate),                                                             \
     .minimum = 0,                                                                                 \
     .above_minimum = true,                                                                        \
     .maximum = INFINITY,                                                                          \
     .help = "length of a step, before the schedule"},                                             \
    {                                                                                              \
        .name = "weight_decay", .type = PARAM_NUMBER,                                              \
        .offset = offsetof(OptimizerCommon, weight_decay), .default_number = (default_decay),      \
        .minimum = 0, .maximum = INFINITY, .help = "pulls every weight towards 0"                  \
    }

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
    Parallel *parallel;               // threads for it; NULL: none. The same bits on any number
} OptimizerCall;

// Sums that the step gathers on its way, for the update ratio ‖Δw‖ / ‖w‖ (w after the step).
typedef struct OptimizerSums {
    double update_squares, weight_squares;
} OptimizerSums;

typedef struct OptimizerDesc {
    Desc desc;
    int (*slots)(const void *params);            // how many it uses
    const char *slot_names[OPTIMIZER_SLOTS_MAX]; // in checkpoints: "momentum", "second_moment", …
    OptimizerSums (*step)(const OptimizerCall *call);
} OptimizerDesc;

extern const Registry optimizer_registry; // "optimizer"
const OptimizerDesc *optimizer_find(const char *name);
