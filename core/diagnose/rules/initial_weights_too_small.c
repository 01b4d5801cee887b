// The weights start so small that the signal dies with depth, and with it the gradient.
//
// Each kernel's root mean square is held against what its default initialiser (He, Glorot) would have given: 1 is just right in
// any shape. Over a stack the factors multiply.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->facts->fine_tunes)
        return false;
    double logarithms = 0, worst = 1;
    int counted = 0, layer = -1;
    for (int i = 0; i < view->net->layers; i++) {
        double scale = view->history->layer[view->net->layer[i].index].start_scale;
        if (!(scale > 0))
            continue;
        logarithms += log(scale);
        counted++;
        if (scale < worst) {
            worst = scale;
            layer = i;
        }
    }
    double typical = counted > 0 ? exp(logarithms / counted) : 1;
    bool off = typical < 0.3 || (worst < 0.1 && typical < 0.6);
    if (layer < 0 || !off)
        return false;
    bool suffers = view->outcome.diverged || outcome_bad(&view->outcome) ||
                   (view->outcome.fit == FIT_FAIR && (typical < 0.15));
    if (!suffers && view->stage != STAGE_END)
        return false;
    *ret_finding = (Finding){.code = "initial_weights_too_small",
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .layer = view_layer_name(view, layer),
                             .first_step = 1,
                             .rank = 90};
    const LayerHistory *top = &view->history->layer[view->net->layer[view->net->layers - 1].index];
    finding_number(ret_finding, "scale", worst);
    finding_number(ret_finding, "typical_scale", typical);
    finding_number(ret_finding, "output_std", top->first.activation_std);
    finding_number(ret_finding, "first_loss", view->history->first_loss);
    finding_number(ret_finding, "threshold", 0.3);
    finding_remedy(ret_finding, advice_default_init(view));
    if (view->net->normalisations == 0)
        finding_remedy(ret_finding, advice_normalise(view));
    return true;
}

const RuleDesc rule_initial_weights_too_small = {
    .desc = {.name = "initial_weights_too_small",
             .summary = "the signal dies with depth at step 0",
             .reference = "He et al. 2015; Glorot & Bengio 2010; activation deviation outside 0.5 "
                          "... 2: TheDeepChecker"},
    .statistic =
        "root mean square of each kernel at the start against that of He's or Glorot's rule",
    .threshold = "below 0.3 over the layers, or below 0.1 in one",
    .test = test,
};
