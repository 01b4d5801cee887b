// The steps are too long: the loss climbs, swings, or the first updates throw the weights away.
//
// Three symptoms, each only where the run comes to little:
//   diverged   the loss left what can be held, or rose far above its start, without a huge first loss to blame
//   thrown     ‖Δw‖ / ‖w‖ above 0.3 over the first records: the weights are replaced, not corrected
//   swings     ‖Δw‖ / ‖w‖ still above 0.02 of late, and the loss no longer falls or the metric swings by 0.03 and more
#include "core/diagnose/advice.h"
#include <math.h>

static double early_peak(const RuleView *view, int *ret_layer) {
    double peak = 0;
    for (int i = 0; i < view->net->layers; i++) {
        const LayerHistory *layer = &view->history->layer[view->net->layer[i].index];
        double ratio = stretch_mean(&layer->early, layer->early.update_ratio);
        // A layer that starts at almost nothing grows fast in any case.
        if (layer->start_scale > 0.3 && ratio > peak) {
            peak = ratio;
            *ret_layer = i;
        }
    }
    return peak;
}

static const char *symptom_of(const RuleView *view, double early, double late) {
    const Outcome *outcome = &view->outcome;
    const History *history = view->history;
    bool swings = history->epochs >= 5 && history->swings >= 2 &&
                  (double)history->swings >= 0.2 * (double)history->epochs;
    double constant = view->facts->survey.constant_loss;
    if (outcome->diverged)
        return isfinite(history->first_loss) &&
                       (!isfinite(constant) || history->first_loss < 100 * constant)
                   ? "diverged"
                   : NULL;
    bool harmed = history->epochs > 0 && history->last.val_loss > 2 * constant;
    if ((outcome_bad(outcome) && early > 0.3) || (outcome->fit == FIT_FAIR && early > 0.4) ||
        (harmed && early > 0.3))
        return "thrown";
    bool restless = late > 0.02 && (swings || outcome->late_change < 0.02);
    if (outcome_bad(outcome) && restless)
        return "swings";
    return outcome->fit == FIT_FAIR && late > 0.05 && swings ? "swings" : NULL;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->steps == 0)
        return false;
    int layer = -1;
    double early = early_peak(view, &layer), late = view_update_ratio(view, true);
    const char *symptom = symptom_of(view, early, late);
    if (symptom == NULL)
        return false;
    *ret_finding =
        (Finding){.code = "learning_rate_too_high",
                  .symptom = symptom,
                  .severity = view->outcome.diverged ? SEVERITY_CRITICAL : SEVERITY_WARNING,
                  .layer = layer >= 0 ? view_layer_name(view, layer) : NULL,
                  .first_step = view->outcome.diverged ? view->history->steps : 1,
                  .rank = 85};
    finding_number(ret_finding, "learning_rate", view->facts->learning_rate);
    finding_number(ret_finding, "update_ratio_early", early);
    finding_number(ret_finding, "update_ratio_late", late);
    finding_number(ret_finding, "first_loss", view->history->first_loss);
    finding_number(ret_finding, "loss", view->history->last_loss);
    finding_number(ret_finding, "swings", (double)view->history->swings);
    finding_number(ret_finding, "epochs", (double)view->history->epochs);
    finding_number(ret_finding, "threshold", 0.02);
    // What the first gradient tells of the slope holds no longer once a wild start is over.
    bool wild =
        !view->facts->adaptive && view->history->first_loss > 3 * view->facts->survey.constant_loss;
    finding_remedy(ret_finding, wild ? advice_adam(view) : advice_slower(view));
    finding_remedy(ret_finding, wild ? advice_slower(view) : advice_adam(view));
    finding_remedy(ret_finding, advice_clip(view));
    return true;
}

const RuleDesc rule_learning_rate_too_high = {
    .desc = {.name = "learning_rate_too_high",
             .summary = "the steps are too long: the loss climbs or swings",
             .reference = "update : weight above 10^-1: TheDeepChecker (Ben Braiek & Khomh 2023); "
                          "healthy near 10^-3: "
                          "Karpathy, CS231n; swings of 0.03 in 20 % of the epochs: AutoTrainer "
                          "(Zhang et al. 2021)"},
    .statistic = "update : weight ratio early and late, swings of the validation metric, the loss "
                 "against its start",
    .threshold = "early above 0.3, late above 0.02 with swings in 20 % of the epochs, or a loss "
                 "that doubled",
    .test = test,
};
