// Gradients grow without bound, in depth or in time.
//
//   depth   the lowest layer's norm is more than 70 times the output layer's at the start
//   spike   one step's norm is more than 100 times what is usual
// with a run that diverged or comes to little.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const History *history = view->history;
    if (history == NULL || history->records == 0 || view->net->layers < 2 ||
        !(view->outcome.diverged || outcome_bad(&view->outcome)))
        return false;
    double low = view_gradient(view, 0, false),
           top = view_gradient(view, view->net->layers - 1, false);
    bool depth = low > 70 * top && low > 1;
    bool grows = history->gradient_peak > 100 * fmax(history->first_gradient, 0.1) &&
                 history->gradient_peak > 100;
    if (!depth && !grows)
        return false;
    *ret_finding =
        (Finding){.code = "exploding_gradient",
                  .symptom = depth ? "depth" : "spike",
                  .severity = view->outcome.diverged ? SEVERITY_CRITICAL : SEVERITY_WARNING,
                  .layer = depth ? view_layer_name(view, 0) : NULL,
                  .first_step = depth ? 1 : history->gradient_peak_step,
                  .rank = 68};
    finding_number(ret_finding, "gradient_norm", low);
    finding_number(ret_finding, "output_gradient_norm", top);
    finding_number(ret_finding, "peak", history->gradient_peak);
    finding_number(ret_finding, "first", history->first_gradient);
    finding_number(ret_finding, "threshold", depth ? 70 : 100);
    finding_remedy(ret_finding, advice_clip(view));
    finding_remedy(ret_finding, advice_slower(view));
    if (view->net->normalisations == 0)
        finding_remedy(ret_finding, advice_normalise(view));
    return true;
}

const RuleDesc rule_exploding_gradient = {
    .desc = {.name = "exploding_gradient",
             .summary = "gradient norms grow without bound, in depth or in time",
             .reference =
                 "ratio above 70: AutoTrainer (Zhang et al. 2021); clipping: Pascanu et al. 2013"},
    .statistic = "gradient norm of the lowest layer against the output layer's; greatest norm "
                 "against the first",
    .threshold = "70 times in depth, 100 times in time",
    .test = test,
};
