// The batch is too small for the noise: each step follows a few rows, and what one corrects the next undoes.
#include "core/diagnose/advice.h"
#include <math.h>

// How far the loss of single stretches scatters around its level late in the run.
static double scatter(const History *history) {
    double spread = 0, level = 0;
    int count = 0;
    for (int i = history->points / 2; i < history->points; i++) {
        const LossPoint *point = &history->curve[i];
        spread += point->greatest - point->least;
        level += point->sum / (double)point->steps;
        count++;
    }
    return count > 0 && level > 0 ? spread / level : 0;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    const Facts *facts = view->facts;
    const History *history = view->history;
    if (history == NULL || facts->batch_rows > 4 || facts->train_rows < 40 ||
        history->records == 0 || view->outcome.diverged ||
        facts->task->kind == TASK_LANGUAGE_MODEL || facts->task->rows == ROWS_NODES)
        return false;
    double late = view_update_ratio(view, true), noise = scatter(history);
    bool restless = outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR;
    if (!restless || late < 5e-4 || noise < 1)
        return false;
    *ret_finding = (Finding){
        .code = "noisy_gradient", .severity = SEVERITY_WARNING, .first_step = 1, .rank = 86};
    finding_number(ret_finding, "batch_size", (double)facts->batch_rows);
    finding_number(ret_finding, "scatter", noise);
    finding_number(ret_finding, "update_ratio", late);
    finding_number(ret_finding, "swings", (double)history->swings);
    finding_number(ret_finding, "threshold", 1);
    finding_remedy(ret_finding, (Remedy){.code = "larger_batch", .batch_size = 32});
    finding_remedy(ret_finding, advice_slower(view));
    return true;
}

const RuleDesc rule_noisy_gradient = {
    .desc =
        {.name = "noisy_gradient",
         .summary = "the batch is too small for the noise",
         .reference =
             "gradient signal-to-noise: Cockpit (Schneider et al. 2021); McCandlish et al. 2018"},
    .statistic = "spread of the loss within a stretch of steps against its level, late in the run, "
                 "at batches of 4 and less",
    .threshold = "spread above the level itself, with updates above 0.0005",
    .test = test,
};
