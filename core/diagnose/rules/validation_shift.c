// Training and validation rows come from different places: what is learned on the one is asked of the other.
//
// By chance the means of a feature differ by little; half a deviation is more than chance. It is a fault where validation is far
// behind training.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Survey *survey = &view->facts->survey;
    bool features = survey->shift > 0.8, classes = survey->class_shift > 0.25;
    if (!features && !classes)
        return false;
    const History *history = view->history;
    double gap = history != NULL && history->epochs > 0
                     ? history->last.train_metric - history->last.val_metric
                     : NAN;
    bool apart = gap > 0.2;
    *ret_finding =
        (Finding){.code = "validation_shift",
                  .symptom = features ? "features" : "classes",
                  .severity = apart && view->stage == STAGE_END ? SEVERITY_WARNING : SEVERITY_INFO,
                  .rank = 84};
    finding_number(ret_finding, "shift", survey->shift);
    finding_number(ret_finding, "feature", (double)survey->shift_feature);
    finding_number(ret_finding, "class_shift", survey->class_shift);
    finding_number(ret_finding, "gap", gap);
    finding_number(ret_finding, "threshold", features ? 0.8 : 0.25);
    return true;
}

const RuleDesc rule_validation_shift = {
    .desc = {.name = "validation_shift",
             .summary = "training and validation rows come from different places",
             .reference = "Quionero-Candela et al. 2009: Dataset Shift in Machine Learning"},
    .statistic = "greatest difference of a feature's mean in deviations; greatest difference of a "
                 "class's share",
    .threshold = "0.8 deviations, or a quarter of the rows; a warning with a gap between training "
                 "and validation",
    .before_run = true,
    .test = test,
};
