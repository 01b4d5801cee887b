// Layers that stand still while others learn: frozen by the spec though their weights are random, or with updates far below.
#include "core/diagnose/advice.h"
#include <math.h>

// The layer that moves least, against the one that moves most.
static double stillest(const RuleView *view, int *ret_layer) {
    double most = 0, least = INFINITY;
    for (int i = 0; i < view->net->layers; i++) {
        double travel = view->history->layer[view->net->layer[i].index].travel;
        if (graph_frozen(model_graph(view->model), view->net->layer[i].index))
            continue;
        most = fmax(most, travel);
        if (travel < least) {
            least = travel;
            *ret_layer = i;
        }
    }
    return most > 0 ? least / most : NAN;
}

static int frozen_layer(const RuleView *view) {
    for (int i = 0; i < view->net->layers; i++)
        if (graph_frozen(model_graph(view->model), view->net->layer[i].index))
            return i;
    return -1;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->records < 2 || view->outcome.diverged)
        return false;
    bool suffers = outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR;
    int frozen = frozen_layer(view), layer = -1;
    double ratio = stillest(view, &layer);
    bool by_spec = frozen >= 0 && !view->facts->fine_tunes;
    bool by_ratio = layer >= 0 && ratio < 1e-3 && outcome_bad(&view->outcome);
    if (!(by_spec && suffers) && !by_ratio)
        return false;
    *ret_finding = (Finding){.code = "frozen_layers",
                             .symptom = by_spec ? "by_spec" : "by_ratio",
                             .severity = SEVERITY_WARNING,
                             .layer = view_layer_name(view, by_spec ? frozen : layer),
                             .first_step = 1,
                             .rank = by_spec ? 89 : 65};
    finding_number(ret_finding, "frozen", view->net->frozen);
    finding_number(ret_finding, "layers", view->net->layers);
    finding_number(ret_finding, "ratio", ratio);
    finding_number(ret_finding, "threshold", 1e-3);
    if (by_spec) {
        Remedy unfreeze = {.code = "unfreeze", .edits_layers = true};
        unfreeze.layers.unfreeze = true;
        finding_remedy(ret_finding, unfreeze);
    } else {
        finding_remedy(ret_finding, advice_revive(view));
        finding_remedy(ret_finding, advice_adam(view));
    }
    return true;
}

const RuleDesc rule_frozen_layers = {
    .desc = {.name = "frozen_layers",
             .summary = "some layers stand still while others learn",
             .reference = "update : weight by layer: Karpathy, CS231n; DL4J's training UI"},
    .statistic = "sum of the update : weight ratios of each layer; which layers the spec freezes",
    .threshold = "10^-3 of the layer that moves most; any frozen layer with random weights",
    .test = test,
};
