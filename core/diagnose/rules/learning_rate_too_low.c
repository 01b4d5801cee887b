// The steps are too short: over the whole run the weights hardly moved.
//
// Travel is Σ ‖Δw‖ / ‖w‖: how often the run has covered the length of its own weights. It does not depend on how many steps
// there were. Below 0.15 a net is what it was at random; below 0.5 with a loss that still falls it was on its way.
#include "core/diagnose/advice.h"
#include <math.h>
#include <string.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Outcome *outcome = &view->outcome;
    if (view->history == NULL || view->stage == STAGE_BEFORE || outcome->diverged)
        return false;
    double travel = view_travel(view), late = view_update_ratio(view, true);
    if (view->stage != STAGE_END) // as if it went on like this
        travel /= fmax(outcome->progress, 0.01);
    bool still = travel < 0.15 && (outcome_bad(outcome) || outcome->fit == FIT_FAIR);
    bool slow = travel < 0.6 && outcome_bad(outcome) && outcome->late_change > 0 && late < 2e-3;
    if (!still && !slow)
        return false;
    *ret_finding = (Finding){.code = "learning_rate_too_low",
                             .symptom = still ? "still" : "slow",
                             .severity = SEVERITY_WARNING,
                             .first_step = 1,
                             .rank = 60};
    finding_number(ret_finding, "learning_rate", view->history->learning_rate);
    finding_number(ret_finding, "travel", travel);
    finding_number(ret_finding, "update_ratio", late);
    finding_number(ret_finding, "first_loss", view->history->first_loss);
    finding_number(ret_finding, "loss", outcome->loss);
    finding_number(ret_finding, "steps", (double)view->history->steps);
    finding_number(ret_finding, "threshold", still ? 0.15 : 0.6);
    finding_remedy(ret_finding, view->facts->adaptive ? advice_faster(view) : advice_adam(view));
    finding_remedy(ret_finding, view->facts->adaptive ? advice_adam(view) : advice_faster(view));
    finding_remedy(ret_finding, (Remedy){.code = "train_longer", .epochs = 4});
    return true;
}

const RuleDesc rule_learning_rate_too_low = {
    .desc = {.name = "learning_rate_too_low",
             .summary = "the steps are too short: the weights hardly move",
             .reference = "update : weight below 10^-4: TheDeepChecker (Ben Braiek & Khomh 2023), "
                          "summed over the run"},
    .statistic = "travel, the sum of the update : weight ratios over the run",
    .threshold = "below 0.15 of the weights' own length, or below 0.6 with a loss that still falls",
    .test = test,
};
