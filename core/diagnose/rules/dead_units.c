// ReLU units that never fire: no gradient passes them, so they never come back.
//
// A unit that is idle in one batch may fire in the next, so it is the least share over many batches that counts. Where 90 % of a
// layer, or half of most layers, are dead and the run comes to little, they are the reason.
#include "core/diagnose/advice.h"
#include <math.h>

typedef struct Dead {
    int layers, half; // that can die; with half their units dead
    double most;
    int worst; // of the net's layers
} Dead;

static Dead count(const RuleView *view) {
    Dead dead = {.worst = -1};
    for (int i = 0; i + 1 < view->net->layers; i++) {
        const NetLayer *layer = &view->net->layer[i];
        if (layer->activation == NULL || !layer->activation->dies)
            continue;
        double share = layer_dead(view, layer->shown);
        dead.layers++;
        dead.half += share >= 0.5;
        // The lowest of those that are as dead as any: those above it see only its silence.
        if (share > dead.most + 1e-9) {
            dead.most = share;
            dead.worst = i;
        }
    }
    return dead;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL || view->history->records == 0 || view->outcome.diverged)
        return false;
    Dead dead = count(view);
    bool whole = dead.most >= (view->facts->batch_rows < 8 ? 0.98 : 0.9);
    bool most = dead.layers > 0 && 2 * dead.half >= dead.layers && dead.most >= 0.6;
    if (dead.worst < 0 || (!whole && !most))
        return false;
    bool suffers = outcome_bad(&view->outcome) || (whole && view->outcome.fit == FIT_FAIR);
    if (!suffers && view->stage != STAGE_END)
        return false;
    const LayerHistory *history = &view->history->layer[view->net->layer[dead.worst].shown];
    *ret_finding = (Finding){.code = "dead_units",
                             .symptom = whole ? "layer" : "many",
                             .severity = !suffers                        ? SEVERITY_INFO
                                         : view->outcome.fit == FIT_NONE ? SEVERITY_CRITICAL
                                                                         : SEVERITY_WARNING,
                             .layer = view_layer_name(view, dead.worst),
                             .first_step = history->dead_since > 0 ? history->dead_since : 1,
                             .rank = 78};
    finding_number(ret_finding, "dead", dead.most);
    finding_number(ret_finding, "layers_half_dead", dead.half);
    finding_number(ret_finding, "layers", dead.layers);
    finding_number(ret_finding, "narrowest", (double)view->net->narrowest);
    finding_number(ret_finding, "born_dead", view->net->born_dead);
    finding_number(ret_finding, "threshold", whole ? 0.9 : 0.6);
    finding_remedy(ret_finding, advice_revive(view));
    finding_remedy(ret_finding, advice_slower(view));
    finding_remedy(ret_finding, (Remedy){.code = "other_seed", .new_seed = true});
    return true;
}

const RuleDesc rule_dead_units = {
    .desc = {.name = "dead_units",
             .summary = "ReLU-like units that never fire",
             .reference = "more than 50 % of a layer: SageMaker Debugger; >= 70 %: AutoTrainer; Lu "
                          "et al. 2019: Dying ReLU and "
                          "Initialization"},
    .statistic = "share of a layer's units that are 0 for every row of a batch, the least over the "
                 "newest stretch",
    .threshold = "0.9 of one layer, or 0.6 of one and half of every second",
    .test = test,
};
