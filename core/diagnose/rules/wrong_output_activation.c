// A final softmax under cross_entropy, or a sigmoid under binary_cross_entropy.
//
// Both losses take logits and apply the function themselves, fused with the logarithm. Applied
// twice, the outputs are squeezed into a narrow range: the loss cannot fall below a bound well
// above 0, and gradients shrink.
#include "core/diagnose/rule.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *loss, *activation;
} doubled[] = {
    {"cross_entropy", "softmax"},
    {"binary_cross_entropy", "sigmoid"},
};

// The layer that makes the model's output and ends in an activation of its own.
static const ModelLayer *output_layer(const Model *model) {
    for (int i = 0; i < model_layers(model); i++) {
        const ModelLayer *layer = model_layer(model, i);
        if (layer->output == model_output(model) && layer->activation != NULL)
            return layer;
    }
    return NULL;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    const ModelLayer *layer = output_layer(view->model);
    if (layer == NULL || view->loss == NULL)
        return false;
    const char *activation = layer->activation->desc.name;
    for (size_t i = 0; i < ARRAY_LENGTH(doubled); i++) {
        if (strcmp(doubled[i].loss, view->loss) != 0 ||
            strcmp(doubled[i].activation, activation) != 0)
            continue;
        *ret_finding = (Finding){.code = "wrong_output_activation",
                                 .severity = SEVERITY_WARNING,
                                 .layer = layer->name,
                                 .first_step = view->step};
        snprintf(ret_finding->explanation, sizeof(ret_finding->explanation),
                 "Layer \"%s\" ends in %s, and %s applies %s to the outputs once more. So the "
                 "outputs are squeezed twice, the loss cannot get near 0 and the gradients shrink. "
                 "Give the last layer a linear activation: predictions still come as "
                 "probabilities.",
                 layer->name, activation, view->loss, activation);
        return true;
    }
    return false;
}

const RuleDesc rule_wrong_output_activation = {
    .desc = {.name = "wrong_output_activation",
             .summary = "the output's activation does not fit the loss"},
    .before_run = true,
    .test = test,
};
