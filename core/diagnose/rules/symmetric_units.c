// Units of a layer that start equal get equal gradients and stay equal: the layer is as wide as one unit.
#include "core/diagnose/advice.h"
#include "core/diagnose/weights.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->history == NULL)
        return false;
    int equal = 0, first = -1;
    double most = 0;
    for (int i = 0; i + 1 < view->net->layers; i++) {
        int layer = view->net->layer[i].index;
        double start = view->history->layer[layer].start_duplicates;
        double now =
            view->weights != NULL ? weights_duplicates(view->model, view->weights, layer) : start;
        double share = fmin(start, now);
        if (!(share >= 0.5))
            continue;
        equal++;
        if (first < 0)
            first = i;
        most = fmax(most, share);
    }
    if (equal == 0)
        return false;
    bool fine = view->outcome.fit == FIT_GOOD;
    *ret_finding = (Finding){.code = "symmetric_units",
                             .severity = fine ? SEVERITY_INFO : SEVERITY_WARNING,
                             .layer = view_layer_name(view, first),
                             .first_step = 1,
                             .rank = 95};
    finding_number(ret_finding, "equal", most);
    finding_number(ret_finding, "layers", equal);
    finding_number(ret_finding, "threshold", 0.5);
    finding_remedy(ret_finding, advice_default_init(view));
    return true;
}

const RuleDesc rule_symmetric_units = {
    .desc = {.name = "symmetric_units",
             .summary = "units of a layer equal to each other",
             .reference = "Goodfellow, Bengio & Courville: Deep Learning (2016), section 8.4"},
    .statistic =
        "share of a hidden layer's units whose weights equal another unit's, at the start and now",
    .threshold = "half of them, at both times",
    .test = test,
};
