// The weights start so large that the signal grows with depth: the first loss is huge, units saturate or die.
#include "core/diagnose/start_scale.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    StartScale scale;
    if (!start_scale_measure(view, &scale))
        return false;
    bool off = scale.typical > 3 || (scale.greatest > 8 && scale.typical > 1.7);
    return off && start_scale_find(view, &scale, "initial_weights_too_large", scale.greatest_layer,
                                   3, scale.typical > 5, ret_finding);
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
