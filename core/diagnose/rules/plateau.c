// The loss stands still well above what plain methods reach on the same data.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Outcome *outcome = &view->outcome;
    if (view->history == NULL || outcome->diverged || view->stage != STAGE_END)
        return false;
    bool stands = outcome->late_change < 0.02;
    if (outcome->fit != FIT_POOR || !stands || view->history->steps < 50)
        return false;
    *ret_finding = (Finding){.code = "plateau",
                             .severity = SEVERITY_WARNING,
                             .first_step = view->history->steps / 2,
                             .rank = 30};
    finding_number(ret_finding, "loss", outcome->loss);
    finding_number(ret_finding, "late_change", outcome->late_change);
    finding_number(ret_finding, "closure", outcome->closure);
    finding_number(ret_finding, "reference_metric", view->facts->survey.reference_metric);
    finding_number(ret_finding, "threshold", 0.02);
    finding_remedy(ret_finding, advice_adam(view));
    finding_remedy(ret_finding, advice_revive(view));
    finding_remedy(ret_finding, (Remedy){.code = "train_longer", .epochs = 4});
    return true;
}

const RuleDesc rule_plateau = {
    .desc = {.name = "plateau",
             .summary = "the loss stands still well above what is reachable",
             .reference =
                 "less than 0.1 % in 10 checks: SageMaker Debugger; less than 5 %: TheDeepChecker"},
    .statistic = "the last quarter's loss against the third's; the result against nearest "
                 "neighbours and the like",
    .threshold = "less than 2 % of change, at less than 0.6 of the way to the reference",
    .test = test,
};
