// One class is so frequent that the rare ones hardly count: always to answer it is nearly right.
//
// Before the run it is a fact about the data. It is a fault where the net does no better than that answer.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Survey *survey = &view->facts->survey;
    double ratio = survey->class_most / fmax(survey->class_least, 1e-9);
    if (view->facts->task->kind != TASK_CLASSIFICATION || !(ratio >= 5) ||
        !isfinite(survey->class_least))
        return false;
    double recall = view->history != NULL ? view->facts->rare_recall : NAN;
    bool ignored = recall < 0.35 && view->stage == STAGE_END && !view->outcome.diverged;
    bool weighed = view->facts->class_weight_ratio > 1.5;
    if (ratio < 10 && !ignored)
        return false;
    *ret_finding = (Finding){.code = "class_imbalance",
                             .severity = ignored && !weighed ? SEVERITY_WARNING : SEVERITY_INFO,
                             .rank = 84};
    finding_number(ret_finding, "ratio", ratio);
    finding_number(ret_finding, "least", survey->class_least);
    finding_number(ret_finding, "most", survey->class_most);
    finding_number(ret_finding, "recall", recall);
    finding_number(ret_finding, "threshold", 10);
    finding_remedy(ret_finding, (Remedy){.code = "balance_classes", .balance = true});
    return true;
}

const RuleDesc rule_class_imbalance = {
    .desc =
        {.name = "class_imbalance",
         .summary = "one class outweighs another",
         .reference =
             "ratio of 10: SageMaker Debugger; He & Garcia 2009: Learning from Imbalanced Data"},
    .statistic = "most frequent class against the rarest, and the rarest one's recall on "
                 "validation rows at the end",
    .threshold = "a ratio of 10; a warning at a recall below 0.35",
    .before_run = true,
    .test = test,
};
