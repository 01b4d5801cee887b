// A dense layer on a dense layer (or convolution on convolution) with nothing between: together they are one linear map.
//
// Before the run it is worth a word; it is a fault where a net that should bend does not fit.
#include "core/diagnose/advice.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    const Net *net = view->net;
    if (net->linear_pairs == 0)
        return false;
    bool suffers =
        view->stage != STAGE_BEFORE &&
        (outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR || view->outcome.diverged);
    *ret_finding = (Finding){.code = "missing_nonlinearity",
                             .symptom = net->linear_pairs == net->hidden ? "all" : "some",
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .layer = model_layer(view->model, net->first_linear)->name,
                             .rank = view->outcome.diverged ? 50 : 82};
    finding_number(ret_finding, "pairs", net->linear_pairs);
    finding_number(ret_finding, "hidden_layers", net->hidden);
    finding_number(ret_finding, "threshold", 1);
    Remedy remedy = {.code = "add_nonlinearity", .edits_layers = true};
    remedy.layers.bend = true;
    remedy.layers.default_init = true;
    finding_remedy(ret_finding, remedy);
    return true;
}

const RuleDesc rule_missing_nonlinearity = {
    .desc = {.name = "missing_nonlinearity",
             .summary = "dense on dense with nothing between",
             .reference = "Goodfellow, Bengio & Courville: Deep Learning (2016), section 6.1"},
    .statistic = "pairs of dense or convolution layers without an activation, a max pool or a norm "
                 "over features between",
    .threshold = "one pair; a warning where the run comes to little",
    .before_run = true,
    .test = test,
};
