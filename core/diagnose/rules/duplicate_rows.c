// Rows that occur more than once weigh more than once; in training they are harmless where they are few.
#include "core/diagnose/advice.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    const Survey *survey = &view->facts->survey;
    if (!(survey->duplicates >= 0.1))
        return false;
    *ret_finding = (Finding){.code = "duplicate_rows", .severity = SEVERITY_INFO, .rank = 15};
    finding_number(ret_finding, "share", survey->duplicates);
    finding_number(ret_finding, "rows", (double)survey->rows);
    finding_number(ret_finding, "threshold", 0.1);
    return true;
}

const RuleDesc rule_duplicate_rows = {
    .desc = {.name = "duplicate_rows",
             .summary = "rows that occur more than once",
             .reference =
                 "Lee et al. 2022: Deduplicating Training Data Makes Language Models Better"},
    .statistic = "share of the training rows looked at whose inputs another one has too",
    .threshold = "a tenth",
    .before_run = true,
    .test = test,
};
