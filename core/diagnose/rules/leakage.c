// The answer is already in the data: validation rows that were trained on, or a feature that is the target.
//
//   rows     more than a tenth of the validation rows looked at have a twin in training, in data where rows are otherwise different
//   feature  one feature alone tells the target without error
#include "core/diagnose/advice.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    const Survey *survey = &view->facts->survey;
    bool rows = survey->leaked >= 0.1 && survey->distinct >= 0.3;
    bool feature = survey->telling_feature >= 0;
    if (!rows && !feature)
        return false;
    *ret_finding = (Finding){.code = "leakage",
                             .symptom = rows ? "rows" : "feature",
                             .severity = SEVERITY_WARNING,
                             .rank = 87};
    finding_number(ret_finding, "share", survey->leaked);
    finding_number(ret_finding, "feature", (double)survey->telling_feature);
    finding_number(ret_finding, "threshold", 0.1);
    return true;
}

const RuleDesc rule_leakage = {
    .desc = {.name = "leakage",
             .summary = "validation rows in training, or a feature that is the target",
             .reference = "Kaufman et al. 2012: Leakage in Data Mining"},
    .statistic = "share of validation rows with a twin in training; correlation of single features "
                 "with the target",
    .threshold = "a tenth of the rows; a correlation of 0.9999",
    .before_run = true,
    .test = test,
};
