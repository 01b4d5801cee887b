// The brake is stronger than the engine: weight decay, dropout or label smoothing keep the net from fitting.
//
//   decay     the penalty pulls more than the data does: λ‖w‖ against ‖g‖, or the weights lost half their length
//   dropout   more than two thirds of the units are left out at each step
//   smoothing more than half of each target is spread over all classes
#include "core/diagnose/advice.h"
#include <math.h>
#include <string.h>

static double pull_of(const RuleView *view) {
    const Facts *facts = view->facts;
    double norm = view_weight_norm(view), gradients = 0;
    for (int i = 0; i < view->net->layers; i++) {
        double gradient = view_gradient(view, i, true);
        if (isfinite(gradient))
            gradients += gradient * gradient;
    }
    if (facts->decoupled) // what it takes off each step, against the whole step
        return facts->learning_rate * facts->weight_decay /
               fmax(view_update_ratio(view, true), 1e-12);
    return gradients > 0 ? facts->weight_decay * norm / sqrt(gradients) : 0;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    const Facts *facts = view->facts;
    if (view->history == NULL || view->history->records == 0 || view->outcome.diverged ||
        !(outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR))
        return false;
    double pull = facts->weight_decay > 0 ? pull_of(view) : 0;
    double start = view_start_norm(view), left = start > 0 ? view_weight_norm(view) / start : 1;
    bool decay = facts->weight_decay > 0 && ((pull > 0.5 && left < 0.9) || left < 0.5);
    bool dropout = view->net->greatest_dropout > 0.65;
    bool smoothing = facts->label_smoothing > 0.5;
    if (!decay && !dropout && !smoothing)
        return false;
    *ret_finding = (Finding){.code = "over_regularized",
                             .symptom = decay     ? "decay"
                                        : dropout ? "dropout"
                                                  : "smoothing",
                             .severity = SEVERITY_WARNING,
                             .first_step = 1,
                             .rank = 88};
    finding_number(ret_finding, "weight_decay", facts->weight_decay);
    finding_number(ret_finding, "pull", pull);
    finding_number(ret_finding, "weights_left", left);
    finding_number(ret_finding, "dropout", view->net->greatest_dropout);
    finding_number(ret_finding, "label_smoothing", facts->label_smoothing);
    finding_number(ret_finding, "threshold", decay ? 0.5 : 0.65);
    Remedy remedy = {.code = "regularise_less"};
    if (facts->weight_decay > 0)
        remedy.weight_decay = fmin(facts->weight_decay / 1000, 1e-4);
    if (view->net->greatest_dropout > 0.2) {
        remedy.edits_layers = true;
        remedy.layers.dropout = 0.1;
    }
    if (smoothing)
        remedy.loss = "";
    finding_remedy(ret_finding, remedy);
    return true;
}

const RuleDesc rule_over_regularized = {
    .desc = {.name = "over_regularized",
             .summary = "the penalty's gradient swamps the data's",
             .reference = "Goodfellow, Bengio & Courville: Deep Learning (2016), section 7.1; "
                          "Srivastava et al. 2014 (dropout)"},
    .statistic = "weight decay's pull against the data's gradient, the weights' length against "
                 "their start, greatest dropout",
    .threshold = "pull above 0.5 and weights shrinking, weights below half, dropout above 0.65, "
                 "smoothing above 0.5",
    .test = test,
};
