// Never better than the answer that looks at no input. A last word: where a cause is found it stands above this.
#include "core/diagnose/advice.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->outcome.fit != FIT_NONE || view->outcome.diverged)
        return false;
    const Survey *survey = &view->facts->survey;
    *ret_finding = (Finding){
        .code = "no_learning", .severity = SEVERITY_CRITICAL, .first_step = 1, .rank = 32};
    finding_number(ret_finding, "loss", view->outcome.loss);
    finding_number(ret_finding, "constant_loss", survey->constant_loss);
    finding_number(ret_finding, "constant_metric", survey->constant_metric);
    finding_number(ret_finding, "reference_metric", survey->reference_metric);
    finding_number(ret_finding, "steps", (double)view->history->steps);
    finding_number(ret_finding, "threshold", 0.02);
    finding_remedy(ret_finding, advice_adam(view));
    if (view->net->hidden > 2)
        finding_remedy(ret_finding, advice_revive(view));
    finding_remedy(ret_finding, (Remedy){.code = "train_longer", .epochs = 4});
    return true;
}

const RuleDesc rule_no_learning = {
    .desc = {.name = "no_learning",
             .summary = "never better than the constant answer",
             .reference = "Karpathy, A Recipe for Training Neural Networks (2019): dumb baselines"},
    .statistic = "loss and metric against those of the most frequent class, or the mean",
    .threshold = "less than 0.02 of the loss, or two standard errors of the metric, better",
    .test = test,
};
