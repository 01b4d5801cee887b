// Rows whose nearest neighbours all agree on another class: likely label errors.
//
// Neighbours judge a row without having seen its label, as a cross-validated model does. One in sixteen of such rows hurts; fewer are
// worth a look.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Survey *survey = &view->facts->survey;
    if (!(survey->absurd >= 0.03))
        return false;
    bool much = survey->absurd >= 0.06 && view->stage == STAGE_END;
    *ret_finding = (Finding){
        .code = "label_noise", .severity = much ? SEVERITY_WARNING : SEVERITY_INFO, .rank = 83};
    finding_number(ret_finding, "share", survey->absurd);
    finding_number(ret_finding, "rows", (double)survey->rows);
    finding_number(ret_finding, "first_row",
                   survey->absurd_count > 0 ? survey->absurd_rows[0] : NAN);
    finding_number(ret_finding, "second_row",
                   survey->absurd_count > 1 ? survey->absurd_rows[1] : NAN);
    finding_number(ret_finding, "third_row",
                   survey->absurd_count > 2 ? survey->absurd_rows[2] : NAN);
    finding_number(ret_finding, "threshold", 0.06);
    Remedy smooth = {
        .code = "smooth_labels", .label_smoothing = 0.1, .stop_early = true, .patience = 5};
    if (view->facts->task->kind == TASK_CLASSIFICATION)
        finding_remedy(ret_finding, smooth);
    return true;
}

const RuleDesc rule_label_noise = {
    .desc = {.name = "label_noise",
             .summary = "rows whose label the rest of the data finds absurd",
             .reference = "Wilson 1972 (edited nearest neighbours); Northcutt, Jiang & Chuang "
                          "2021: Confident Learning"},
    .statistic = "share of rows whose ten nearest neighbours almost all have one other class",
    .threshold = "0.03 to be told, 0.06 to warn",
    .before_run = true,
    .test = test,
};
