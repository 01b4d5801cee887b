// Remedies fitted to a run's own numbers: what the rules prescribe.
#pragma once
#include "core/diagnose/rule.h"

// A learning rate for the job's optimizer (or Adam's) at which its steps are neither lost nor wild:
//   steps that do not depend on the gradients' size (Adam and its kin): 6 / steps, within 0.001 … 0.01 (0.002 for large nets
//   and attention), so that a short run still gets somewhere;
//   SGD: such that the first update is 2 % of the weights (healthy: 10⁻³ … 10⁻², Karpathy's CS231n notes), by what the first
//   gradient was, divided by what momentum adds up to; and half the way, in digits, to the usual 0.1, for gradients soon shrink.
double advice_rate(const RuleView *view, bool adam);

Remedy advice_slower(const RuleView *view); // the same optimizer at a lower rate
Remedy advice_faster(const RuleView *view); // … at a higher one, without what holds it back
Remedy advice_adam(const RuleView *view);   // Adam at its rate, without schedule and clipping
Remedy
advice_rectify(const RuleView *view); // the ReLU family and norms in place of sigmoid and tanh
Remedy advice_revive(const RuleView *view);    // leaky ReLUs and norms in place of ReLUs
Remedy advice_normalise(const RuleView *view); // norms alone
Remedy advice_default_init(const RuleView *view);
Remedy advice_clip(const RuleView *view);

// ---- measures of a history that several rules share ----

// Of the whole net, weighed by the layers' norms.
double view_update_ratio(const RuleView *view, bool late);
double view_travel(const RuleView *view);      // how far it has come, in lengths of its weights
double view_start_norm(const RuleView *view);  // ‖w‖ before the run
double view_weight_norm(const RuleView *view); // ‖w‖ of late
double view_gradient(const RuleView *view, int net_layer, bool late);
// Mean of the last stretch, or of the first records.
double layer_dead(const RuleView *view, int model_layer);
double layer_saturated(const RuleView *view, int model_layer, bool late);
const char *view_layer_name(const RuleView *view, int net_layer);
