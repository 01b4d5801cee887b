// See advice.h.
#include "core/diagnose/advice.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double clamp(double value, double least, double greatest) {
    return fmin(fmax(value, least), greatest);
}

// Two digits are enough to say, and to type.
static double rounded(double value) {
    if (!(value > 0))
        return value;
    char text[32];
    snprintf(text, sizeof text, "%.1e", value);
    return strtod(text, NULL);
}

static double adam_rate(const RuleView *view) {
    const Facts *facts = view->facts;
    bool large = view->net->parameters > 200000 || view->net->attentions > 0;
    return clamp(6 / fmax((double)facts->steps, 1), 0.001, large ? 0.002 : 0.01);
}

double advice_rate(const RuleView *view, bool adam) {
    const Facts *facts = view->facts;
    if (adam)
        return rounded(adam_rate(view));
    if (facts->adaptive) {
        double factor = strcmp(facts->optimizer, "lion") == 0      ? 0.2
                        : strcmp(facts->optimizer, "adagrad") == 0 ? 5
                                                                   : 1;
        return rounded(factor * adam_rate(view));
    }
    double gain = 1 - clamp(facts->momentum, 0, 0.9);
    double norm = view_start_norm(view);
    if (view->history == NULL || !(norm > 0) || !(view->history->first_gradient > 0) ||
        !isfinite(view->history->first_gradient))
        return rounded(0.1 * gain);
    double fitted = 0.02 * gain * norm / view->history->first_gradient;
    return rounded(fmin(sqrt(fitted * 0.1 * gain), 10 * fitted));
}

Remedy advice_slower(const RuleView *view) {
    const Facts *facts = view->facts;
    double rate = fmin(advice_rate(view, false), rounded(facts->learning_rate / 5));
    Remedy remedy = {.code = "lower_learning_rate", .learning_rate = rate};
    if (facts->momentum > 0.9)
        remedy.momentum = 0.9;
    return remedy;
}

Remedy advice_faster(const RuleView *view) {
    const Facts *facts = view->facts;
    double rate = fmax(advice_rate(view, false), facts->learning_rate);
    Remedy remedy = {.code = "raise_learning_rate", .learning_rate = rate, .drop_epsilon = true};
    remedy.drop_schedule = strcmp(facts->schedule, "constant") != 0 || facts->warmup_steps > 0;
    remedy.drop_clipping = !isnan(facts->clip_norm) || !isnan(facts->clip_value);
    return remedy;
}

Remedy advice_adam(const RuleView *view) {
    const Facts *facts = view->facts;
    return (Remedy){.code = "use_adam",
                    .optimizer = "adam",
                    .learning_rate = advice_rate(view, true),
                    .drop_epsilon = true,
                    .drop_schedule =
                        strcmp(facts->schedule, "constant") != 0 || facts->warmup_steps > 0};
}

// Norms over batches of a few rows are noise.
static bool small_batches(const RuleView *view) {
    int64_t last = view->facts->train_rows % view->facts->batch_rows;
    return view->facts->batch_rows < 8 || last == 1;
}

// A net that stands still for the signal's sake needs a step of known size as well once the signal is there.
static void give_adam(const RuleView *view, Remedy *remedy) {
    const Facts *facts = view->facts;
    double rate = advice_rate(view, true);
    if (facts->adaptive && facts->learning_rate >= rate / 3 && facts->learning_rate <= 3 * rate)
        return;
    remedy->optimizer = "adam";
    remedy->learning_rate = rate;
    remedy->drop_epsilon = true;
}

// A plain stack of dense layers, deeper than so few rows ask for, or so narrow that ReLUs start dead or nothing passes.
static void simplify(const RuleView *view, Remedy *remedy) {
    const Net *net = view->net;
    bool stack =
        net->plain && net->convolutions == 0 && net->recurrents == 0 && net->attentions == 0;
    bool deep = net->hidden >= (net->squashing >= 3 ? 5 : 7) && view->facts->train_rows < 20000,
         narrow = net->narrowest <= 4;
    if (!stack || net->hidden < 3 || (!deep && !narrow))
        return;
    remedy->code = "fewer_wider_layers";
    remedy->layers.least_units = 16;
    remedy->layers.most_hidden = 3;
}

Remedy advice_rectify(const RuleView *view) {
    Remedy remedy = {.code = "use_relu", .edits_layers = true};
    remedy.layers.activation = "leaky_relu";
    remedy.layers.squashing_only = true;
    remedy.layers.default_init = true;
    remedy.layers.normalise = true;
    remedy.layers.layer_norm = small_batches(view);
    give_adam(view, &remedy);
    simplify(view, &remedy);
    return remedy;
}

Remedy advice_revive(const RuleView *view) {
    Remedy remedy = advice_rectify(view);
    if (remedy.layers.most_hidden == 0)
        remedy.code = "use_leaky_relu";
    remedy.layers.squashing_only = false;
    return remedy;
}

Remedy advice_normalise(const RuleView *view) {
    Remedy remedy = {.code = "add_normalisation", .edits_layers = true};
    remedy.layers.normalise = true;
    remedy.layers.layer_norm = small_batches(view);
    return remedy;
}

Remedy advice_default_init(const RuleView *view) {
    (void)view;
    Remedy remedy = {.code = "default_initialisation", .edits_layers = true};
    remedy.layers.default_init = true;
    return remedy;
}

Remedy advice_clip(const RuleView *view) {
    double usual = view->history != NULL ? view->history->gradient_mean : 1;
    Remedy remedy = {.code = "clip_gradients"};
    remedy.clip_norm = rounded(clamp(isfinite(usual) ? usual : 1, 0.1, 1));
    return remedy;
}

// ---- shared measures ----

static const LayerHistory *history_of(const RuleView *view, int net_layer) {
    return &view->history->layer[view->net->layer[net_layer].index];
}

double view_update_ratio(const RuleView *view, bool late) {
    double updates = 0, weights = 0;
    for (int i = 0; i < view->net->layers; i++) {
        const LayerHistory *layer = history_of(view, i);
        const Stretch *stretch = late ? history_late(layer) : &layer->early;
        double ratio = stretch_mean(stretch, stretch->update_ratio);
        double norm = stretch_mean(stretch, stretch->weight_norm);
        if (!isfinite(ratio) || !isfinite(norm))
            continue;
        updates += ratio * norm * ratio * norm;
        weights += norm * norm;
    }
    return weights > 0 ? sqrt(updates / weights) : NAN;
}

double view_travel(const RuleView *view) {
    double squares = 0, weights = 0;
    for (int i = 0; i < view->net->layers; i++) {
        const LayerHistory *layer = history_of(view, i);
        const Stretch *late = history_late(layer);
        double norm = stretch_mean(late, late->weight_norm);
        if (!isfinite(norm) || !isfinite(layer->travel))
            continue;
        squares += layer->travel * norm * layer->travel * norm;
        weights += norm * norm;
    }
    return weights > 0 ? sqrt(squares / weights) : NAN;
}

double view_start_norm(const RuleView *view) {
    double squares = 0;
    for (int i = 0; view->history != NULL && i < view->history->layers; i++)
        if (isfinite(view->history->layer[i].start_norm))
            squares += view->history->layer[i].start_norm * view->history->layer[i].start_norm;
    return sqrt(squares);
}

double view_weight_norm(const RuleView *view) {
    double squares = 0;
    for (int i = 0; i < view->history->layers; i++) {
        const Stretch *late = history_late(&view->history->layer[i]);
        double norm = stretch_mean(late, late->weight_norm);
        if (isfinite(norm))
            squares += norm * norm;
    }
    return sqrt(squares);
}

double view_gradient(const RuleView *view, int net_layer, bool late) {
    const LayerHistory *layer = history_of(view, net_layer);
    const Stretch *stretch = late ? history_late(layer) : &layer->early;
    return stretch_mean(stretch, stretch->gradient_norm);
}

double layer_dead(const RuleView *view, int model_layer) {
    const Stretch *late = history_late(&view->history->layer[model_layer]);
    return late->records > 0 ? late->dead_least : NAN;
}

double layer_saturated(const RuleView *view, int model_layer, bool late) {
    const LayerHistory *layer = &view->history->layer[model_layer];
    const Stretch *stretch = late ? history_late(layer) : &layer->early;
    return stretch_mean(stretch, stretch->saturated_fraction);
}

const char *view_layer_name(const RuleView *view, int net_layer) {
    return model_layer(view->model, view->net->layer[net_layer].index)->name;
}
