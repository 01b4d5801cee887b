// The net learns the training rows by heart: training still improves while validation worsens.
//
//   turned   the validation loss has risen by 30 % from its best, far above the training loss, and the metric fell with it
//   gap      training is near perfect, validation far behind what plain methods reach on the same rows
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const History *history = view->history;
    const Facts *facts = view->facts;
    if (history == NULL || history->epochs < 3 || view->outcome.diverged || facts->restores_best ||
        !isfinite(history->last.val_loss))
        return false;
    const EpochPoint *best = &history->best, *last = &history->last;
    bool language = facts->task->kind == TASK_LANGUAGE_MODEL;
    double error = sqrt(0.25 * 0.5 / fmax((double)facts->validation_rows, 1));
    double fell =
        language ? last->val_loss - best->val_loss : history->best_metric - last->val_metric;
    bool above = last->val_loss > 1.3 * best->val_loss && last->val_loss > 1.5 * last->train_loss &&
                 best->epoch < last->epoch;
    bool constant = last->val_loss > facts->survey.constant_loss;
    bool harmed = fell > fmax(facts->task->kind == TASK_REGRESSION ? 0.06 : 0.03, error) ||
                  (constant && fell > 0.01);
    if (language)
        harmed = fell > 0.1;
    bool turned = above && harmed;
    double gap = last->train_metric - last->val_metric;
    bool apart = gap > 0.15 && above && view->outcome.validation != FIT_GOOD &&
                 view->outcome.validation != FIT_UNKNOWN;
    if (!turned && !apart)
        return false;
    // The best of many epochs is better than it deserves: a little below it, and still as good as plain methods, nothing suffers.
    bool still_good = view->outcome.validation == FIT_GOOD && fell < 0.1;
    if (view->stage == STAGE_LIVE && view->outcome.progress < 0.3)
        return false;
    *ret_finding = (Finding){.code = "overfitting",
                             .symptom = turned ? "turned" : "gap",
                             .severity = still_good ? SEVERITY_INFO : SEVERITY_WARNING,
                             .first_step = best->step,
                             .rank = 58};
    finding_number(ret_finding, "train_loss", last->train_loss);
    finding_number(ret_finding, "val_loss", last->val_loss);
    finding_number(ret_finding, "best_val_loss", best->val_loss);
    finding_number(ret_finding, "best_epoch", (double)best->epoch);
    finding_number(ret_finding, "epochs", (double)last->epoch);
    finding_number(ret_finding, "parameters", (double)view->net->parameters);
    finding_number(ret_finding, "rows", (double)facts->train_rows);
    finding_number(ret_finding, "threshold", 1.3);
    Remedy stop = {.code = "stop_early", .stop_early = true};
    stop.patience = history->epochs > 50 ? history->epochs / 10 : 5;
    finding_remedy(ret_finding, stop);
    Remedy decay = {.code = "add_regularisation",
                    .optimizer = "adamw",
                    .learning_rate = advice_rate(view, true),
                    .weight_decay = 0.1,
                    .edits_layers = view->net->dropouts == 0};
    decay.layers.add_dropout = 0.3;
    finding_remedy(ret_finding, decay);
    return true;
}

const RuleDesc rule_overfitting = {
    .desc = {.name = "overfitting",
             .summary = "validation worsens while training improves",
             .reference = "(val - train) / train above 0.1: SageMaker Debugger; Prechelt 1998: "
                          "Early Stopping - But When?"},
    .statistic =
        "validation loss against its best and against the training loss, and the metric's fall",
    .threshold = "1.3 times its best and 1.5 times the training loss, with a metric 0.03 (0.06 of "
                 "R2) (or one "
                 "standard error) below its best",
    .test = test,
};
