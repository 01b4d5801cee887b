// Nothing in the inputs tells the targets: neither plain methods nor the net do better on validation rows than the constant answer.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Facts *facts = view->facts;
    const Survey *survey = &facts->survey;
    double room = survey->reference_metric - survey->constant_metric;
    if (view->history == NULL || view->stage != STAGE_END || view->history->epochs == 0 ||
        !isfinite(room) || survey->judged < 20 || facts->task->kind == TASK_LANGUAGE_MODEL)
        return false;
    double gained = view->history->best_metric - survey->constant_metric;
    double error = fmax(survey->reference_error, 0.02);
    // Where one class is nearly all, hardly anything beats always saying so.
    if (survey->class_most > 0.8)
        return false;
    // The net may see what neighbours do not: both must find nothing, and the net must have tried.
    bool tried = view->outcome.loss_closure > 0.05 || view_travel(view) > 1;
    // A few rows of numbers have so large an error that half of the variance would pass for nothing.
    double luck = facts->task->kind == TASK_REGRESSION ? fmin(2.5 * error, 0.1) : 2.5 * error;
    if (room > 2 * error || gained > luck || !tried || view->outcome.diverged)
        return false;
    *ret_finding = (Finding){.code = "unrelated_targets", .severity = SEVERITY_WARNING, .rank = 87};
    finding_number(ret_finding, "constant_metric", survey->constant_metric);
    finding_number(ret_finding, "reference_metric", survey->reference_metric);
    finding_number(ret_finding, "best_metric", view->history->best_metric);
    finding_number(ret_finding, "rows", (double)survey->rows);
    finding_number(ret_finding, "threshold", 2 * error);
    return true;
}

const RuleDesc rule_unrelated_targets = {
    .desc = {.name = "unrelated_targets",
             .summary = "the inputs do not tell the targets",
             .reference = "Zhang et al. 2017: Understanding deep learning requires rethinking "
                          "generalization (random labels)"},
    .statistic = "validation metric of nearest neighbours, least squares and the net against the "
                 "constant answer's",
    .threshold = "both within two standard errors of it",
    .test = test,
};
