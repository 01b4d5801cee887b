// How a run is doing, against what can be expected: between the constant answer and what plain methods reach on the same data.
#pragma once
#include "core/diagnose/facts.h"
#include "core/diagnose/history.h"

typedef enum Fit {
    FIT_UNKNOWN, // too early, or nothing to hold it against
    FIT_NONE,    // no better than the constant answer
    FIT_POOR,    // less than 0.6 of the way from there to the reference
    FIT_FAIR,    // less than 0.9
    FIT_GOOD,
} Fit;

typedef struct Outcome {
    Fit fit;        // on the better of training and validation
    Fit validation; // on validation rows alone
    double closure; // the share of that way; NAN
    double validation_closure;
    double loss_closure; // 1 − loss / loss of the constant answer
    double loss;         // newest mean of the training loss
    double
        late_change; // (third quarter's loss − last quarter's) / third quarter's: how fast it still falls
    bool diverged;   // not finite, or far above where it began
    double progress; // share of the steps done
} Outcome;

// Of a probe: whether one batch was fitted, by the loss alone. A net that has not moved yet, but would in the whole run, cannot be
// judged. travel: Σ ‖Δw‖ / ‖w‖ over the probe.
Outcome outcome_judge_probe(const Facts *facts, const History *history, double travel, bool finite);
Outcome outcome_judge(const Facts *facts, const History *history, bool ended, bool finite);
// Whether the training itself comes to little.
static inline bool outcome_bad(const Outcome *outcome) {
    return outcome->fit == FIT_NONE || outcome->fit == FIT_POOR;
}
