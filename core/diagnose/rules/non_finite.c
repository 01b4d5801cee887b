// NaN or infinity in the loss, an activation, a gradient or a weight.
//
// The layer is where it began. Going forward that is the first layer in reading order whose output
// is not finite: what follows only inherits it. Where every output is finite it began in the
// backward pass, which runs from the last layer to the first, so there it is the last layer whose
// gradient is not finite.
#include "core/diagnose/advice.h"
#include <math.h>

static bool output_finite(const LayerStatistics *layer) {
    // NAN stands for "not measured" as well: a measured layer has both or neither.
    return isfinite(layer->activation_mean) && isfinite(layer->activation_std);
}

static const char *where(const RuleView *view, const char **ret_what) {
    *ret_what = "loss";
    if (view->layers == NULL)
        return NULL;
    int layers = model_layers(view->model);
    for (int i = 0; i < layers; i++) {
        // A residual comes before what it holds, but its output is made after.
        const ModelLayer *layer = model_layer(view->model, i);
        bool holds = i + 1 < layers && model_layer(view->model, i + 1)->parent == i;
        if (!holds && !output_finite(&view->layers[i])) {
            *ret_what = "output";
            return layer->name;
        }
    }
    for (int i = layers - 1; i >= 0; i--)
        if (model_layer(view->model, i)->parameters > 0 &&
            !graph_frozen(model_graph(view->model), i) &&
            !isfinite(view->layers[i].gradient_norm)) {
            *ret_what = "gradient";
            return model_layer(view->model, i)->name;
        }
    return NULL;
}

static bool test(const RuleView *view, Finding *ret_finding) {
    if (view->step == 0 || (isfinite(view->train_loss) && isfinite(view->gradient_norm)))
        return false;
    const char *what;
    const char *layer = where(view, &what);
    *ret_finding = (Finding){.code = "non_finite",
                             .severity = SEVERITY_CRITICAL,
                             .layer = layer,
                             .first_step = view->step,
                             .rank = 55};
    finding_number(ret_finding, "step", (double)view->step);
    finding_number(ret_finding, "loss", view->train_loss);
    finding_number(ret_finding, "gradient_norm", view->gradient_norm);
    finding_word(ret_finding, "tensor", what);
    static const char *const rows[] = {"row_1", "row_2", "row_3", "row_4"};
    for (int i = 0; i < view->bad_row_count && i < (int)ARRAY_LENGTH(rows); i++)
        finding_number(ret_finding, rows[i], view->bad_rows[i]);
    if (view->facts == NULL)
        return true;
    if (!view->facts->standardized && view->facts->task->vocabulary == 0)
        finding_remedy(ret_finding, (Remedy){.code = "standardise", .standardize = true});
    finding_remedy(ret_finding, advice_slower(view));
    finding_remedy(ret_finding, advice_adam(view));
    finding_remedy(ret_finding, advice_clip(view));
    return true;
}

const RuleDesc rule_non_finite = {
    .desc = {.name = "non_finite",
             .summary = "NaN or infinity in the loss, an activation, a gradient or a weight",
             .reference = "any: SageMaker Debugger's tensor_not_finite"},
    .statistic = "loss and gradient norm of every step; where they are not finite, each layer's "
                 "output and gradient",
    .threshold = "any number that is not finite",
    .test = test,
};
