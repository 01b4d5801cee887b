// One function an item: it looks at the run and notes up to three numbers, which the item's text names.
#include "core/diagnose/checklist.h"
#include <math.h>
#include <string.h>
#include "core/diagnose/advice.h"
#include "core/diagnose/texts.h"

typedef enum State { STATE_OK, STATE_ATTENTION, STATE_NOT_APPLICABLE } State;
static const char *const state_names[] = {"ok", "attention", "not_applicable"};

typedef struct Check {
    const RuleView *view;
    double a, b, c; // what the note says
} Check;

static State attention(bool holds) {
    return holds ? STATE_ATTENTION : STATE_OK;
}

static bool ran(const Check *check) {
    return check->view->history != NULL && check->view->history->records > 0;
}

static State hidden_activations(Check *check) {
    const Net *net = check->view->net;
    check->a = net->hidden;
    check->b = net->squashing;
    if (net->hidden == 0)
        return STATE_NOT_APPLICABLE;
    return attention(net->hidden >= 4 && 2 * net->squashing > net->hidden && net->recurrents == 0);
}

static State initial_scale(Check *check) {
    double least = INFINITY, most = 0;
    if (!ran(check))
        return STATE_NOT_APPLICABLE;
    for (int i = 0; i < check->view->net->layers; i++) {
        double scale = check->view->history->layer[check->view->net->layer[i].index].start_scale;
        if (isnan(scale))
            continue;
        least = fmin(least, scale);
        most = fmax(most, scale);
    }
    check->a = least;
    check->b = most;
    return attention(least < 0.3 || most > 3);
}

static State idle_units(Check *check) {
    double dead = 0, saturated = 0;
    if (!ran(check))
        return STATE_NOT_APPLICABLE;
    for (int i = 0; i + 1 < check->view->net->layers; i++) {
        int shown = check->view->net->layer[i].shown;
        dead = fmax(dead, layer_dead(check->view, shown));
        saturated = fmax(saturated, layer_saturated(check->view, shown, true));
    }
    check->a = dead;
    check->b = saturated;
    return attention(dead > 0.5 || saturated > 0.5);
}

static State normalised(Check *check) {
    const Net *net = check->view->net;
    check->a = net->normalisations;
    check->b = net->hidden;
    if (net->hidden < 4)
        return STATE_NOT_APPLICABLE;
    return attention(net->normalisations == 0 && net->residuals == 0);
}

static State batch_for_norms(Check *check) {
    check->a = (double)check->view->facts->batch_rows;
    if (check->view->net->normalisations == 0 || check->view->net->attentions > 0)
        return STATE_NOT_APPLICABLE;
    return attention(check->view->facts->batch_rows < 8);
}

static State depth(Check *check) {
    check->a = check->view->net->hidden;
    check->b = check->view->net->residuals;
    return attention(check->view->net->hidden >= 12 && check->view->net->residuals == 0);
}

static State bends(Check *check) {
    check->a = check->view->net->linear_pairs;
    if (check->view->net->hidden == 0)
        return STATE_NOT_APPLICABLE;
    return attention(check->view->net->linear_pairs > 0);
}

static State found(const Check *check, const char *code) {
    const RuleDesc *rule = (const RuleDesc *)registry_find(&rule_registry, code);
    Finding finding;
    return attention(rule->test(check->view, &finding));
}

static State output_fits(Check *check) {
    State output = found(check, "wrong_output_activation"), loss = found(check, "wrong_loss");
    return output == STATE_ATTENTION ? output : loss;
}

static State update_band(Check *check) {
    if (!ran(check))
        return STATE_NOT_APPLICABLE;
    check->a = view_update_ratio(check->view, false);
    check->b = view_update_ratio(check->view, true);
    check->c = check->view->facts->learning_rate;
    return attention(check->a > 0.3 || check->b > 0.1 || view_travel(check->view) < 0.15);
}

static State norms_steady(Check *check) {
    const History *history = check->view->history;
    if (!ran(check))
        return STATE_NOT_APPLICABLE;
    check->a = history->gradient_mean;
    check->b = history->gradient_peak;
    bool clipped = !isnan(check->view->facts->clip_norm) || !isnan(check->view->facts->clip_value);
    return attention(history->gradient_peak > 100 * fmax(history->first_gradient, 0.1) && !clipped);
}

static State weights_bounded(Check *check) {
    if (!ran(check))
        return STATE_NOT_APPLICABLE;
    check->a = view_start_norm(check->view);
    check->b = view_weight_norm(check->view);
    return attention(check->b > 100 * fmax(check->a, 1));
}

static State gap(Check *check) {
    const History *history = check->view->history;
    if (history == NULL || history->epochs == 0 || !isfinite(history->last.val_loss))
        return STATE_NOT_APPLICABLE;
    check->a = history->last.train_loss;
    check->b = history->last.val_loss;
    return attention(found(check, "overfitting") == STATE_ATTENTION);
}

static State brake(Check *check) {
    check->a = check->view->facts->weight_decay;
    check->b = check->view->net->greatest_dropout;
    if (check->a == 0 && check->b == 0)
        return STATE_NOT_APPLICABLE;
    return attention(check->view->history != NULL &&
                     found(check, "over_regularized") == STATE_ATTENTION);
}

static State scale(Check *check) {
    const Survey *survey = &check->view->facts->survey;
    check->a = survey->input_scale;
    check->b = survey->target_std;
    if (isnan(survey->input_scale))
        return STATE_NOT_APPLICABLE;
    return found(check, "unscaled_features");
}

static State balance(Check *check) {
    const Survey *survey = &check->view->facts->survey;
    check->a = survey->class_least;
    check->b = survey->class_most;
    if (isnan(survey->class_least))
        return STATE_NOT_APPLICABLE;
    return attention(survey->class_most >= 10 * survey->class_least);
}

static State duplicates(Check *check) {
    const Survey *survey = &check->view->facts->survey;
    check->a = survey->duplicates;
    check->b = survey->leaked;
    if (isnan(survey->duplicates))
        return STATE_NOT_APPLICABLE;
    return attention(survey->duplicates >= 0.1 || survey->leaked >= 0.1);
}

static State labels(Check *check) {
    check->a = check->view->facts->survey.absurd;
    return isnan(check->a) ? STATE_NOT_APPLICABLE : attention(check->a >= 0.03);
}

static State shift(Check *check) {
    const Survey *survey = &check->view->facts->survey;
    check->a = survey->shift;
    check->b = survey->class_shift;
    if (isnan(survey->shift) && isnan(survey->class_shift))
        return STATE_NOT_APPLICABLE;
    return found(check, "validation_shift");
}

static State enough_rows(Check *check) {
    check->a = (double)check->view->facts->train_rows;
    check->b = (double)check->view->net->parameters;
    return attention(check->b > 100 * check->a && !check->view->facts->stops_early);
}

static State seed(Check *check) {
    check->a = check->view->net->born_dead;
    return attention(check->a >= 0.1);
}

static const struct {
    const char *group, *item;
    State (*check)(Check *check);
} items[] = {
    {"activation_and_initialisation", "hidden_activations", hidden_activations},
    {"activation_and_initialisation", "initial_scale", initial_scale},
    {"activation_and_initialisation", "idle_units", idle_units},
    {"normalisation", "normalised", normalised},
    {"normalisation", "batch_for_norms", batch_for_norms},
    {"structure", "depth", depth},
    {"structure", "bends", bends},
    {"structure", "output_fits", output_fits},
    {"learning_rate_and_optimizer", "update_band", update_band},
    {"learning_rate_and_optimizer", "norms_steady", norms_steady},
    {"learning_rate_and_optimizer", "weights_bounded", weights_bounded},
    {"regularisation", "gap", gap},
    {"regularisation", "brake", brake},
    {"data", "scale", scale},
    {"data", "balance", balance},
    {"data", "duplicates", duplicates},
    {"data", "labels", labels},
    {"data", "shift", shift},
    {"data", "enough_rows", enough_rows},
    {"luck", "seed", seed},
};

static bool find_number(void *context, const char *name, double *ret_number,
                        const char **ret_word) {
    const Check *check = context;
    *ret_word = NULL;
    *ret_number = name[0] == 'a' ? check->a : name[0] == 'b' ? check->b : check->c;
    return true;
}

void checklist_write(const RuleView *view, const char *key, const ValueWriter *out) {
    write_begin_array(out, key);
    for (size_t i = 0; i < ARRAY_LENGTH(items); i++) {
        Check check = {.view = view, .a = NAN, .b = NAN, .c = NAN};
        State state = items[i].check(&check);
        const char *note = texts_find_joined(LANGUAGE_ENGLISH, "note", items[i].item, NULL);
        Text text;
        text_init(&text);
        texts_render(note, &(TextValues){&check, find_number}, &text);
        write_begin_object(out, NULL);
        write_string(out, "group", items[i].group);
        write_string(out, "item", items[i].item);
        write_string(out, "title",
                     texts_find_joined(LANGUAGE_ENGLISH, "item", items[i].item, NULL));
        write_string(out, "state", state_names[state]);
        write_string(out, "note", state == STATE_NOT_APPLICABLE ? NULL : text_string(&text));
        write_begin_object(out, "evidence");
        write_number(out, "a", check.a);
        write_number(out, "b", check.b);
        write_number(out, "c", check.c);
        write_end_object(out);
        write_end_object(out);
        text_finish(&text);
    }
    write_end_array(out);
}
