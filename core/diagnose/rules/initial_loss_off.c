// The first loss is far from theory: the natural logarithm of the number of classes, or the targets' variance.
//
// A net that has seen nothing should be unsure, not sure and wrong. It is a symptom; large weights, inputs or targets cause it.
#include "core/diagnose/advice.h"
#include <math.h>

static double expected(const RuleView *view) {
    const Facts *facts = view->facts;
    const Survey *survey = &facts->survey;
    if (facts->task->kind != TASK_REGRESSION)
        return log((double)facts->task->outputs);
    // An output near 0 misses the targets by their mean too.
    return survey->constant_loss;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->steps == 0)
        return false;
    double theory = expected(view), first = view->history->first_loss;
    bool classes = view->facts->task->kind != TASK_REGRESSION;
    bool off = isfinite(theory) && theory > 0 && first > (classes ? 4 : 10) * theory;
    if (!off)
        return false;
    bool suffers = outcome_bad(&view->outcome) || view->outcome.diverged;
    if (!suffers && view->stage == STAGE_LIVE)
        return false;
    *ret_finding = (Finding){.code = "initial_loss_off",
                             .symptom = classes ? "classes" : "numbers",
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .first_step = 1,
                             .rank = 40};
    finding_number(ret_finding, "first_loss", first);
    finding_number(ret_finding, "expected", theory);
    finding_number(ret_finding, "threshold", classes ? 4 : 10);
    if (!view->facts->standardized)
        finding_remedy(ret_finding, (Remedy){.code = "standardise", .standardize = true});
    finding_remedy(ret_finding, advice_default_init(view));
    return true;
}

const RuleDesc rule_initial_loss_off = {
    .desc = {.name = "initial_loss_off",
             .summary = "the loss at step 0 is far from theory",
             .reference =
                 "Karpathy, A Recipe for Training Neural Networks (2019): verify the loss at init"},
    .statistic =
        "the first step's loss against ln(classes), or against that of the constant answer",
    .threshold = "4 times for classes, 10 times for numbers",
    .test = test,
};
