// The loss does not fit the task.
//
//   delta    a Huber delta far below the targets' spread: every gradient is ±delta, next to nothing
//   binary   targets that are all 0 or 1, learned through a sigmoid by squared errors: the slope dies where the answer is wrong
//   weights  class weights so far apart that one class is all that counts
//   outliers squared errors over targets with extreme values
#include "core/diagnose/advice.h"
#include <math.h>
#include <string.h>

static const char *symptom_of(const RuleView *view) {
    const Facts *facts = view->facts;
    const Survey *survey = &facts->survey;
    if (strcmp(view->loss, "huber") == 0 && facts->huber_delta < 0.02 * survey->target_std)
        return "delta";
    const ActivationDesc *output = view->net->output_activation;
    if (strcmp(view->loss, "mse") == 0 && output != NULL &&
        strcmp(output->desc.name, "sigmoid") == 0 && survey->target_least == 0 &&
        survey->target_greatest == 1)
        return "binary";
    double imbalance = survey->class_most / fmax(survey->class_least, 1e-6);
    if (facts->class_weight_ratio > 20 && !(facts->class_weight_ratio < 3 * imbalance))
        return "weights";
    return NULL;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    const char *symptom = view->loss != NULL ? symptom_of(view) : NULL;
    if (symptom == NULL)
        return false;
    bool suffers = view->stage != STAGE_BEFORE &&
                   (outcome_bad(&view->outcome) || view->outcome.fit == FIT_FAIR);
    *ret_finding = (Finding){.code = "wrong_loss",
                             .symptom = symptom,
                             .severity = suffers ? SEVERITY_WARNING : SEVERITY_INFO,
                             .rank = 98};
    finding_word(ret_finding, "loss", view->loss);
    finding_number(ret_finding, "delta", view->facts->huber_delta);
    finding_number(ret_finding, "target_std", view->facts->survey.target_std);
    finding_number(ret_finding, "class_weight_ratio", view->facts->class_weight_ratio);
    finding_number(ret_finding, "threshold", strcmp(symptom, "delta") == 0 ? 0.02 : 20);
    Remedy remedy = {.code = "fitting_loss",
                     .loss = strcmp(symptom, "binary") == 0 ? "binary_cross_entropy" : ""};
    if (strcmp(symptom, "binary") == 0) {
        remedy.edits_layers = true;
        remedy.layers.linear_output = true;
    }
    finding_remedy(ret_finding, remedy);
    return true;
}

const RuleDesc rule_wrong_loss = {
    .desc = {.name = "wrong_loss",
             .summary = "the loss does not fit the task",
             .reference = "Bishop: Pattern Recognition (2006), section 5.2; Huber 1964"},
    .statistic = "Huber's delta against the targets' deviation; targets of 0 and 1; the spread of "
                 "the class weights",
    .threshold = "0.02 deviations; a factor of 20 that the data does not ask for",
    .before_run = true,
    .test = test,
};
