// The output's activation does not fit the loss or the targets.
//
//   twice    a softmax under cross_entropy, or a sigmoid under binary_cross_entropy: both losses take logits and apply the function
//            themselves. Squeezed twice, the loss cannot get near 0 and gradients shrink.
//   clipped  a ReLU (or another bounded function) before such a loss: logits that cannot be negative, units that die
//   bounded  a regression through an activation whose range does not hold the targets as the net learns them
#include "core/diagnose/advice.h"
#include <math.h>
#include <string.h>

static const struct {
    const char *loss, *activation;
} doubled[] = {
    {"cross_entropy", "softmax"},
    {"binary_cross_entropy", "sigmoid"},
};

// The range of an activation; infinite where it has no bound. Saturation's bounds are known to the registry, ReLU's 0 is not.
static void range_of(const ActivationDesc *activation, double *ret_lower, double *ret_upper) {
    const char *name = activation->desc.name;
    bool positive = strcmp(name, "relu") == 0 || strcmp(name, "softplus") == 0;
    *ret_lower = isfinite(activation->lower)    ? activation->lower
                 : positive                     ? 0
                 : strcmp(name, "softmax") == 0 ? 0
                 : strcmp(name, "elu") == 0     ? -1
                 : strcmp(name, "selu") == 0    ? -1.76
                                                : -INFINITY;
    *ret_upper = isfinite(activation->upper)    ? activation->upper
                 : strcmp(name, "softmax") == 0 ? 1
                                                : INFINITY;
}

static const char *symptom_of(const RuleView *view) {
    const Survey *survey = &view->facts->survey;
    const char *activation = view->net->output_activation->desc.name;
    for (size_t i = 0; i < ARRAY_LENGTH(doubled); i++)
        if (strcmp(doubled[i].loss, view->loss) == 0 &&
            strcmp(doubled[i].activation, activation) == 0)
            return "twice";
    double lower, upper;
    range_of(view->net->output_activation, &lower, &upper);
    if (strstr(view->loss, "cross_entropy") != NULL)
        return lower > -1.5 || upper < 1.5 ? "clipped" : NULL;
    if (!isfinite(survey->target_least))
        return NULL;
    double slack = 0.1 * survey->target_std;
    return survey->target_least < lower - slack || survey->target_greatest > upper + slack
               ? "bounded"
               : NULL;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->net->output_activation == NULL || view->loss == NULL)
        return false;
    const char *symptom = symptom_of(view);
    if (symptom == NULL)
        return false;
    const Survey *survey = &view->facts->survey;
    *ret_finding = (Finding){.code = "wrong_output_activation",
                             .symptom = symptom,
                             .severity = SEVERITY_WARNING,
                             .layer = model_layer(view->model, view->net->output)->name,
                             .rank = 100};
    finding_word(ret_finding, "activation", view->net->output_activation->desc.name);
    finding_word(ret_finding, "loss", view->loss);
    finding_number(ret_finding, "target_least", survey->target_least);
    finding_number(ret_finding, "target_greatest", survey->target_greatest);
    Remedy remedy = {.code = "linear_output", .edits_layers = true};
    remedy.layers.linear_output = true;
    finding_remedy(ret_finding, remedy);
    return true;
}

const RuleDesc rule_wrong_output_activation = {
    .desc = {.name = "wrong_output_activation",
             .summary = "the output's activation does not fit the loss or the targets",
             .reference =
                 "UMLAUT (Schoop et al. 2021); Bishop: Pattern Recognition (2006), section 5.2"},
    .statistic = "the output's range against what the loss takes and where the targets lie",
    .threshold = "a function that the loss applies itself; targets beyond the range by a tenth of "
                 "their deviation",
    .before_run = true,
    .test = test,
};
