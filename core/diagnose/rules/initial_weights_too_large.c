// The weights start so large that the signal grows with depth: the first loss is huge, units saturate or die.
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
        if (scale > worst) {
            worst = scale;
            layer = i;
        }
    }
    double typical = counted > 0 ? exp(logarithms / counted) : 1;
    bool off = typical > 3 || (worst > 8 && typical > 1.7);
    if (layer < 0 || !off)
        return false;
    bool suffers = view->outcome.diverged || outcome_bad(&view->outcome) ||
                   (view->outcome.fit == FIT_FAIR && (typical > 5));
    if (!suffers && view->stage != STAGE_END)
        return false;
    *ret_finding = (Finding){.code = "initial_weights_too_large",
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .layer = view_layer_name(view, layer),
                             .first_step = 1,
                             .rank = 90};
    const LayerHistory *top = &view->history->layer[view->net->layer[view->net->layers - 1].index];
    finding_number(ret_finding, "scale", worst);
    finding_number(ret_finding, "typical_scale", typical);
    finding_number(ret_finding, "output_std", top->first.activation_std);
    finding_number(ret_finding, "first_loss", view->history->first_loss);
    finding_number(ret_finding, "threshold", 3);
    finding_remedy(ret_finding, advice_default_init(view));
    if (view->net->normalisations == 0)
        finding_remedy(ret_finding, advice_normalise(view));
    return true;
}

const RuleDesc rule_initial_weights_too_large = {
    .desc = {.name = "initial_weights_too_large",
             .summary = "the signal grows with depth at step 0",
             .reference = "He et al. 2015; Glorot & Bengio 2010; activation deviation outside 0.5 "
                          "... 2: TheDeepChecker"},
    .statistic =
        "root mean square of each kernel at the start against that of He's or Glorot's rule",
    .threshold = "above 3 over the layers, or above 8 in one",
    .test = test,
};
