// Whether this net learns is a matter of luck: narrow stacks of ReLUs start dead with a probability that can be told beforehand.
#include "core/diagnose/advice.h"

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->net->born_dead < 0.1)
        return false;
    // More likely dead than alive: then it is the root of whatever else such a net shows.
    bool likely = view->net->born_dead > 0.5;
    bool struck = view->stage != STAGE_BEFORE &&
                  (outcome_bad(&view->outcome) || (likely && view->outcome.fit == FIT_FAIR));
    *ret_finding = (Finding){.code = "seed_sensitive",
                             .severity = struck ? SEVERITY_WARNING : SEVERITY_INFO,
                             .rank = struck && likely ? 79 : 25};
    finding_number(ret_finding, "born_dead", view->net->born_dead);
    finding_number(ret_finding, "narrowest", (double)view->net->narrowest);
    finding_number(ret_finding, "layers", view->net->rectified);
    finding_number(ret_finding, "threshold", 0.1);
    finding_remedy(ret_finding, advice_revive(view));
    finding_remedy(ret_finding, (Remedy){.code = "other_seed", .new_seed = true});
    return true;
}

const RuleDesc rule_seed_sensitive = {
    .desc = {.name = "seed_sensitive",
             .summary = "the outcome depends on the seed",
             .reference =
                 "Lu, Shin, Su & Karniadakis 2019: Dying ReLU and Initialization, theorem 3.2"},
    .statistic =
        "1 - product of (1 - 2^-units) over the ReLU layers: how likely one of them starts idle",
    .threshold = "0.1; a warning where it struck",
    .before_run = true,
    .test = test,
};
