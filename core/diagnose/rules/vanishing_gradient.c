// Gradients shrink from the output to the input until the lower layers get nothing.
//
// Profile and floor: the norm of the first layer with weights against that of the last, per square root of their sizes, early
// in the run; and an absolute floor, which sees the net that is dead throughout. Only where the run comes to little: Adam
// learns well at norms at which a magnitude alone cries "vanishing".
#include "core/diagnose/advice.h"
#include <math.h>

static double size_of(const RuleView *view, int net_layer) {
    return sqrt((double)model_layer(view->model, view->net->layer[net_layer].index)->parameters);
}

// Of the layer whose gradient is least against the output's.
static double least_profile(const RuleView *view, int *ret_layer) {
    int last = view->net->layers - 1;
    double top = view_gradient(view, last, false) / size_of(view, last), least = INFINITY;
    for (int i = 0; i < last; i++) {
        double profile = view_gradient(view, i, false) / size_of(view, i) / top;
        if (isfinite(profile) && profile < least) {
            least = profile;
            *ret_layer = i;
        }
    }
    return least;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->records == 0 || view->net->layers < 2 ||
        view->outcome.diverged)
        return false;
    // A stack that was stuck for a tenth of the run and then got under way has lost that tenth.
    bool late = view->outcome.fit == FIT_FAIR && view->net->squashing >= 3 &&
                history_stuck(view->history, 0.9 * view->facts->survey.constant_loss) > 0.1;
    if (!outcome_bad(&view->outcome) && !late)
        return false;
    int layer = 0;
    double profile = least_profile(view, &layer), floor = view_gradient(view, layer, true);
    bool deep = view->net->squashing >= 3;
    bool vanishes =
        profile < 1e-3 || (deep && profile < 0.05) || view->history->gradient_mean < 1e-6;
    if (!vanishes)
        return false;
    const LayerHistory *history = &view->history->layer[view->net->layer[layer].index];
    *ret_finding =
        (Finding){.code = "vanishing_gradient",
                  .symptom = view->net->squashing > 0 ? "squashing" : "deep",
                  .severity = view->outcome.fit == FIT_NONE ? SEVERITY_CRITICAL : SEVERITY_WARNING,
                  .layer = view_layer_name(view, layer),
                  .first_step = history->still_since > 0 ? history->still_since : 1,
                  .rank = 70};
    finding_number(ret_finding, "ratio", profile);
    finding_number(ret_finding, "gradient_norm", floor);
    finding_number(ret_finding, "output_gradient_norm",
                   view_gradient(view, view->net->layers - 1, true));
    finding_number(ret_finding, "hidden_layers", view->net->hidden);
    finding_number(ret_finding, "squashing_layers", view->net->squashing);
    finding_number(ret_finding, "threshold", deep ? 0.05 : 1e-3);
    finding_remedy(ret_finding, advice_rectify(view));
    if (view->net->normalisations == 0)
        finding_remedy(ret_finding, advice_normalise(view));
    finding_remedy(ret_finding, advice_adam(view));
    return true;
}

const RuleDesc rule_vanishing_gradient = {
    .desc = {.name = "vanishing_gradient",
             .summary = "gradients shrink towards the input until lower layers get nothing",
             .reference = "first : last norm below 10^-3: AutoTrainer (Zhang et al. 2021); 10^-6: "
                          "TheDeepChecker (Ben Braiek "
                          "& Khomh 2023); Glorot & Bengio 2010"},
    .statistic =
        "least gradient norm of a layer against the output layer's, per square root of parameters",
    .threshold = "below 10^-3, below 0.05 in a stack of three and more bounded activations, or a "
                 "whole gradient below 10^-6",
    .test = test,
};
