// Sigmoid and tanh units at their bounds, where their slope is 0: nothing below them learns.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->records == 0 || view->outcome.diverged ||
        !outcome_bad(&view->outcome))
        return false;
    double most = 0;
    int worst = -1;
    for (int i = 0; i + 1 < view->net->layers; i++) {
        double share = layer_saturated(view, view->net->layer[i].shown, true);
        if (share > most) {
            most = share;
            worst = i;
        }
    }
    if (worst < 0 || most < 0.5)
        return false;
    const LayerHistory *history = &view->history->layer[view->net->layer[worst].shown];
    double early = layer_saturated(view, view->net->layer[worst].shown, false);
    *ret_finding =
        (Finding){.code = "saturated_units",
                  .symptom = early >= 0.5 ? "from_start" : "grown",
                  .severity = SEVERITY_WARNING,
                  .layer = view_layer_name(view, worst),
                  .first_step = history->saturated_since > 0 ? history->saturated_since : 1,
                  .rank = early >= 0.5 ? 74 : 66};
    finding_number(ret_finding, "saturated", most);
    finding_number(ret_finding, "saturated_early", early);
    finding_number(ret_finding, "threshold", 0.5);
    finding_remedy(ret_finding, advice_rectify(view));
    finding_remedy(ret_finding, advice_slower(view));
    return true;
}

const RuleDesc rule_saturated_units = {
    .desc = {.name = "saturated_units",
             .summary = "sigmoid or tanh units at their bounds",
             .reference = "bounds in more than 50 %: DeepDiagnosis (Wardat et al. 2022); rho > "
                          "0.85: TheDeepChecker"},
    .statistic = "share of outputs within 1 % of the activation's range of a bound, mean over the "
                 "newest stretch",
    .threshold = "half of a hidden layer's outputs",
    .test = test,
};
