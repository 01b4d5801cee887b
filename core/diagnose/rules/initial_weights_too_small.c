// The weights start so small that the signal dies with depth, and with it the gradient.
#include "core/diagnose/start_scale.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    StartScale scale;
    if (!start_scale_measure(view, &scale))
        return false;
    bool off = scale.typical < 0.3 || (scale.least < 0.1 && scale.typical < 0.6);
    return off && start_scale_find(view, &scale, "initial_weights_too_small", scale.least_layer,
                                   0.3, scale.typical < 0.15, ret_finding);
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
