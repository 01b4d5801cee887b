// NaN or infinity in the loss, an activation, a gradient or a weight.
//
// The layer is where it began. Going forward that is the first layer in reading order whose output
// is not finite: what follows only inherits it. Where every output is finite it began in the
// backward pass, which runs from the last layer to the first, so there it is the last layer whose
// gradient is not finite.
#include "core/diagnose/rule.h"
#include <math.h>
#include <stdio.h>

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
    if (isfinite(view->train_loss) && isfinite(view->gradient_norm))
        return false;
    const char *what;
    const char *layer = where(view, &what);
    *ret_finding = (Finding){
        .code = "non_finite",
        .severity = SEVERITY_CRITICAL,
        .layer = layer,
        .first_step = view->step,
        .evidence = {{"loss", view->train_loss}, {"gradient_norm", view->gradient_norm}},
        .evidence_count = 2,
    };
    snprintf(ret_finding->explanation, sizeof(ret_finding->explanation),
             "At step %lld the loss is %g and the gradient's norm %g: numbers have left what a "
             "computer can hold%s%s%s%s%s. Weights updated with them would be lost for good. The "
             "usual cause is a learning rate that is too high; next come inputs or targets that "
             "are not scaled, and large initial weights.",
             (long long)view->step, view->train_loss, view->gradient_norm,
             layer == NULL ? "" : ", first in the ", layer == NULL ? "" : what,
             layer == NULL ? "" : " of layer \"", layer == NULL ? "" : layer,
             layer == NULL ? "" : "\"");
    return true;
}

const RuleDesc rule_non_finite = {
    .desc = {.name = "non_finite",
             .summary = "NaN or infinity in the loss, an activation, a gradient or a weight"},
    .test = test,
};
