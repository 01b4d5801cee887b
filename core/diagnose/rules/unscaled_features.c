// Inputs or targets reach the net in sizes that its weights are not made for.
//
//   inputs    a feature's root mean square above 10, or features 100 times apart
//   targets   numbers with a deviation above 10 or below 0.05, or a mean far beyond it
// Only where scaling is off: otherwise they arrive with deviation 1. A fault where the run comes to little.
#include "core/diagnose/advice.h"
#include <math.h>

static bool test(const RuleView *view, Finding *ret_finding) {
    const Facts *facts = view->facts;
    const Survey *survey = &facts->survey;
    if (facts->standardized || facts->task->vocabulary > 0)
        return false;
    bool inputs = survey->input_scale > 10 || survey->input_scale < 0.02 ||
                  survey->input_scale > 100 * survey->input_scale_least;
    bool targets = facts->task->kind == TASK_REGRESSION &&
                   (survey->target_std > 10 || survey->target_std < 0.05 ||
                    fabs(survey->target_mean) > 10 * fmax(survey->target_std, 1));
    if (!inputs && !targets)
        return false;
    bool suffers =
        view->stage != STAGE_BEFORE &&
        (view->outcome.diverged || outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR);
    *ret_finding = (Finding){.code = "unscaled_features",
                             .symptom = inputs ? "inputs" : "targets",
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .rank = 92};
    finding_number(ret_finding, "input_scale", survey->input_scale);
    finding_number(ret_finding, "input_scale_least", survey->input_scale_least);
    finding_number(ret_finding, "target_mean", survey->target_mean);
    finding_number(ret_finding, "target_std", survey->target_std);
    finding_number(ret_finding, "threshold", 10);
    finding_remedy(ret_finding, (Remedy){.code = "standardise", .standardize = true});
    finding_remedy(ret_finding, advice_slower(view));
    return true;
}

const RuleDesc rule_unscaled_features = {
    .desc =
        {.name = "unscaled_features",
         .summary = "inputs or targets in sizes that the weights are not made for",
         .reference =
             "LeCun et al. 1998: Efficient BackProp, section 4.3; UMLAUT's [-1, 1] is too strict"},
    .statistic =
        "root mean square of each feature as the net gets it; mean and deviation of the targets",
    .threshold = "10 and 100 times apart for inputs; a deviation outside 0.05 ... 10 for targets",
    .before_run = true,
    .test = test,
};
