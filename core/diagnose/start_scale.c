#include "core/diagnose/start_scale.h"
#include <math.h>
#include "core/diagnose/advice.h"

static double scale_of(const RuleView *view, int layer) {
    return view->history->layer[view->net->layer[layer].index].start_scale;
}

bool start_scale_measure(const RuleView *view, StartScale *ret_scale) {
    if (view->history == NULL || view->facts->fine_tunes)
        return false;
    StartScale scale = {.least = 1, .greatest = 1, .least_layer = -1, .greatest_layer = -1};
    double logarithms = 0;
    int counted = 0;
    for (int i = 0; i < view->net->layers; i++) {
        double at = scale_of(view, i);
        if (!(at > 0))
            continue;
        logarithms += log(at);
        counted++;
        if (at < scale.least) {
            scale.least = at;
            scale.least_layer = i;
        }
        if (at > scale.greatest) {
            scale.greatest = at;
            scale.greatest_layer = i;
        }
    }
    scale.typical = counted > 0 ? exp(logarithms / counted) : 1;
    *ret_scale = scale;
    return true;
}

bool start_scale_find(const RuleView *view, const StartScale *scale, const char *code, int layer,
                      double threshold, bool hurts, Finding *ret_finding) {
    bool suffers = view->outcome.diverged || outcome_bad(&view->outcome) ||
                   (view->outcome.fit == FIT_FAIR && hurts);
    if (!suffers && view->stage == STAGE_LIVE)
        return false;
    *ret_finding = (Finding){.code = code,
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .layer = view_layer_name(view, layer),
                             .first_step = 1,
                             .rank = 90};
    const LayerHistory *top = &view->history->layer[view->net->layer[view->net->layers - 1].index];
    finding_number(ret_finding, "scale", scale_of(view, layer));
    finding_number(ret_finding, "typical_scale", scale->typical);
    finding_number(ret_finding, "output_std", top->first.activation_std);
    finding_number(ret_finding, "first_loss", view->history->first_loss);
    finding_number(ret_finding, "threshold", threshold);
    finding_remedy(ret_finding, advice_default_init(view));
    if (view->net->normalisations == 0)
        finding_remedy(ret_finding, advice_normalise(view));
    return true;
}
