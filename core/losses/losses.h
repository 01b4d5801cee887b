// The registry of losses.
//
// A loss reads the net's outputs and the targets and gives the mean loss and, in the same pass, its gradient:
// softmax and cross-entropy are one function, so that no probability is ever formed that could overflow or vanish.
// Means are over rows (over steps or nodes where each has a target) and, but for cross_entropy, over a row's outputs.
//
// Probes hold parameters: {} or {"delta": 0.5}.
#pragma once
#include "core/base/descriptor.h"
#include "core/base/parallel.h"
#include "core/base/real.h"

typedef enum LossTargets {
    TARGETS_CLASSES, // one class number a row: int32
    TARGETS_VALUES,  // `width` numbers a row
} LossTargets;

typedef struct LossCall {
    const void *params;
    int64_t rows;        // rows · steps where each step has a target
    int64_t width;       // outputs a row
    const Real *outputs; // [rows, width]
    const int32_t *
        classes; // [rows], TARGETS_CLASSES; a negative class: no target here, the row does not count
    const Real *values;        // [rows, width], TARGETS_VALUES
    const Real *class_weights; // [width], or NULL; the mean divides by the sum of the rows' weights
    Real *gradients;           // [rows, width], overwritten; NULL: not wanted
    Parallel *parallel;        // whose threads help; NULL: none
} LossCall;

typedef struct LossDesc {
    Desc desc;
    LossTargets targets;
    double (*value)(const LossCall *call);
} LossDesc;

extern const Registry loss_registry; // "loss"
const LossDesc *loss_find(const char *name);

// Reads cross_entropy's class_weight into weights [classes]: a list with a number per class, or "balanced", which is
// rows / (classes · rows of the class) by counts [classes], so that every class weighs the same in all; one without a
// row weighs 1, which nothing sees. ERR_INVALID with issues under `path`.
int class_weights_read(Value value, int64_t classes, const int64_t *counts, const Path *path,
                       Issues *issues, Real *weights);
