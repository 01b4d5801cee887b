// Every rule of the registry, twice: a run in which it speaks, and its twin in which it keeps silent. A rule adds a row.
#include "core/diagnose/texts.h"
#include "tests/core/diagnose/runs.h"

TestSuite(rules, .init = sample_begin, .fini = end);

// A run that came to nothing: the loss of the constant answer, and its accuracy.
static void run_vain(LayerStatistics layer) {
    run_at(0.69, 0.5, layer);
}

static RuleView of_data(bool ill, double *number, double bad, double good) {
    *number = ill ? bad : good;
    return view_at(STAGE_END);
}

// ---- data ----

static RuleView class_imbalance(bool ill) {
    make(TWO_LAYERS);
    facts.survey.class_most = ill ? 0.98 : 0.6;
    facts.survey.class_least = ill ? 0.02 : 0.4;
    return view_at(STAGE_BEFORE);
}

static RuleView duplicate_rows(bool ill) {
    make(TWO_LAYERS);
    return of_data(ill, &facts.survey.duplicates, 0.3, 0.05);
}

static RuleView label_noise(bool ill) {
    make(TWO_LAYERS);
    return of_data(ill, &facts.survey.absurd, 0.2, 0.01);
}

static RuleView leakage(bool ill) {
    make(TWO_LAYERS);
    facts.survey.distinct = 0.9;
    return of_data(ill, &facts.survey.leaked, 0.5, 0.02);
}

static RuleView unscaled_features(bool ill) {
    make(TWO_LAYERS);
    facts.survey.input_scale = 300;
    facts.survey.input_scale_least = 100;
    facts.standardized = !ill;
    return view_at(STAGE_BEFORE);
}

static RuleView unrelated_targets(bool ill) {
    make(TWO_LAYERS);
    run_at(0.5, 0.5, sound);
    facts.survey.judged = 100;
    return of_data(ill, &facts.survey.reference_metric, 0.51, 1);
}

static RuleView validation_shift(bool ill) {
    make(TWO_LAYERS);
    return of_data(ill, &facts.survey.shift, 2, 0.1);
}

// ---- the spec ----

static RuleView missing_nonlinearity(bool ill) {
    make(ill ? "{\"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": \"dense\", "
               "\"units\": 2}]}"
             : TWO_LAYERS);
    return view_at(STAGE_BEFORE);
}

static RuleView seed_sensitive(bool ill) {
    make(ill ? "{\"layers\": [{\"type\": \"dense\", \"units\": 2, \"activation\": \"relu\"},"
               " {\"type\": \"dense\", \"units\": 2}]}"
             : "{\"layers\": [{\"type\": \"dense\", \"units\": 16, \"activation\": \"relu\"},"
               " {\"type\": \"dense\", \"units\": 2}]}");
    return view_at(STAGE_BEFORE);
}

static RuleView wrong_loss(bool ill) {
    make_for(TWO_LAYERS, (Task){.kind = TASK_REGRESSION, .input = SHAPE(3), .outputs = 2});
    facts.loss = "huber";
    facts.survey.target_std = 1;
    return of_data(ill, &facts.huber_delta, 1e-3, 1);
}

static RuleView wrong_output_activation(bool ill) {
    make(ill ? "{\"layers\": [{\"type\": \"dense\", \"units\": 2, \"activation\": \"softmax\"}]}"
             : TWO_LAYERS);
    return view_at(STAGE_BEFORE);
}

// ---- the start ----

static RuleView initial_loss_off(bool ill) {
    make(TWO_LAYERS);
    run_at(ill ? 5 : 0.69, 0.5, sound);
    return view_at(STAGE_END);
}

static RuleView start_scaled(double scale) {
    make(TWO_LAYERS);
    run_vain(sound);
    for (int i = 0; i < history->layers; i++)
        history->layer[i].start_scale = scale;
    return view_at(STAGE_END);
}

static RuleView initial_weights_too_large(bool ill) {
    return start_scaled(ill ? 10 : 1);
}

static RuleView initial_weights_too_small(bool ill) {
    return start_scaled(ill ? 0.01 : 1);
}

static RuleView symmetric_units(bool ill) {
    make(TWO_LAYERS);
    run_vain(sound);
    return of_data(ill, &history->layer[0].start_duplicates, 1, 0);
}

// ---- gradients and units ----

// The lowest layer's gradients times `factor`.
static RuleView lowest_scaled(double factor) {
    make(TWO_LAYERS);
    run_vain(sound);
    history->layer[0].early.gradient_norm *= factor;
    return view_at(STAGE_END);
}

static RuleView exploding_gradient(bool ill) {
    return lowest_scaled(ill ? 1000 : 1);
}

static RuleView vanishing_gradient(bool ill) {
    return lowest_scaled(ill ? 1e-6 : 1);
}

static RuleView dead_units(bool ill) {
    LayerStatistics layer = sound;
    make(TWO_LAYERS);
    layer.dead_fraction = ill ? 1 : 0.3;
    run_vain(layer);
    return view_at(STAGE_END);
}

static RuleView saturated_units(bool ill) {
    LayerStatistics layer = sound;
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"tanh\"},"
         " {\"type\": \"dense\", \"units\": 2}]}");
    layer.saturated_fraction = ill ? 0.9 : 0.1;
    run_vain(layer);
    return view_at(STAGE_END);
}

static RuleView frozen_layers(bool ill) {
    make("{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"relu\", "
         "\"trainable\": false},"
         " {\"type\": \"dense\", \"units\": 2}]}");
    facts.fine_tunes = !ill; // then they have learned before
    run_vain(sound);
    return view_at(STAGE_END);
}

static RuleView non_finite(bool ill) {
    make(TWO_LAYERS);
    run_vain(sound);
    RuleView view = view_at(STAGE_END);
    view.step = 401;
    view.train_loss = ill ? (double)NAN : 0.7;
    view.gradient_norm = 1;
    return view;
}

// ---- the course of the run ----

static RuleView updated_by(double ratio) {
    LayerStatistics layer = sound;
    make(TWO_LAYERS);
    layer.update_ratio = ratio;
    run_vain(layer);
    return view_at(STAGE_END);
}

static RuleView learning_rate_too_high(bool ill) {
    return updated_by(ill ? 0.5 : 2e-3);
}

static RuleView learning_rate_too_low(bool ill) {
    return updated_by(ill ? 1e-7 : 2e-3);
}

static RuleView no_learning(bool ill) {
    make(TWO_LAYERS);
    run_at(ill ? 0.69 : 0.05, ill ? 0.5 : 0.98, sound);
    return view_at(STAGE_END);
}

static RuleView plateau(bool ill) {
    make(TWO_LAYERS);
    run_at(0.6, ill ? 0.7 : 0.98, sound);
    return view_at(STAGE_END);
}

// Every other step undoes the one before.
static RuleView noisy_gradient(bool ill) {
    LayerStatistics layers[2] = {sound, sound};
    make(TWO_LAYERS);
    for (int64_t step = 1; step <= 400; step++) {
        history_step(history, step, step % 2 == 0 ? 0.1 : 1.3, 0.5, 0.1);
        history_record(history, step, layers);
        if (step % 10 == 0)
            history_epoch(history, &(EpochPoint){step / 10, step, 0.69, 0.5, 0.69, 0.5});
    }
    facts.batch_rows = ill ? 2 : 32;
    return view_at(STAGE_END);
}

static RuleView over_regularized(bool ill) {
    make(TWO_LAYERS);
    run_vain(sound);
    for (int i = 0; i < history->layers; i++)
        history->layer[i].start_norm = 4; // and 2 are left
    return of_data(ill, &facts.weight_decay, 0.5, 0);
}

// The training loss falls; from the fifth epoch on the validation loss climbs, or stays.
static RuleView overfitting(bool ill) {
    LayerStatistics layers[2] = {sound, sound};
    make(TWO_LAYERS);
    for (int64_t epoch = 1; epoch <= 40; epoch++) {
        double train = 0.5 / (double)epoch, past = ill && epoch > 5 ? (double)(epoch - 5) / 35 : 0;
        for (int64_t step = 10 * epoch - 9; step <= 10 * epoch; step++) {
            history_step(history, step, train, 0.5, 0.1);
            history_record(history, step, layers);
        }
        history_epoch(history, &(EpochPoint){epoch, 10 * epoch, train, 0.99, 0.3 + 0.9 * past,
                                             0.92 - 0.15 * past});
    }
    return view_at(STAGE_END);
}

static const struct {
    const char *name;
    RuleView (*arrange)(bool ill);
} rows[] = {
#define ROW(name)                                                                                  \
    { #name, name }
    ROW(class_imbalance),
    ROW(dead_units),
    ROW(duplicate_rows),
    ROW(exploding_gradient),
    ROW(frozen_layers),
    ROW(initial_loss_off),
    ROW(initial_weights_too_large),
    ROW(initial_weights_too_small),
    ROW(label_noise),
    ROW(leakage),
    ROW(learning_rate_too_high),
    ROW(learning_rate_too_low),
    ROW(missing_nonlinearity),
    ROW(no_learning),
    ROW(noisy_gradient),
    ROW(non_finite),
    ROW(over_regularized),
    ROW(overfitting),
    ROW(plateau),
    ROW(saturated_units),
    ROW(seed_sensitive),
    ROW(symmetric_units),
    ROW(unrelated_targets),
    ROW(unscaled_features),
    ROW(validation_shift),
    ROW(vanishing_gradient),
    ROW(wrong_loss),
    ROW(wrong_output_activation),
#undef ROW
};

static int row_of(const char *name) {
    for (int i = 0; i < (int)ARRAY_LENGTH(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}

static void unmake(void) {
    memory_free(history);
    history = NULL;
    model_destroy(model);
    model = NULL;
}

static void check_texts(const Finding *finding) {
    for (int language = LANGUAGE_ENGLISH; language <= LANGUAGE_JAPANESE; language++) {
        cr_expect_not_null(
            texts_find_joined((Language)language, "finding", finding->code, finding->symptom),
            "%s, %s", finding->code, finding->symptom != NULL ? finding->symptom : "");
        for (int i = 0; i < finding->remedy_count; i++)
            cr_expect_not_null(
                texts_find_joined((Language)language, "remedy", finding->remedies[i].code, "title"),
                "%s", finding->remedies[i].code);
    }
}

Test(rules, each_speaks_where_it_should_and_keeps_silent_where_it_should) {
    for (size_t i = 0; i < rule_registry.count; i++) {
        const RuleDesc *rule = (const RuleDesc *)rule_registry.entries[i];
        int row = row_of(rule->desc.name);
        cr_assert_geq(row, 0, "the rule %s has no row", rule->desc.name);
        for (int ill = 0; ill <= 1; ill++) {
            Finding finding;
            const RuleView view = rows[row].arrange(ill);
            bool spoke = rule->test(&view, &finding);
            cr_expect_eq(spoke, ill, "%s %s", rule->desc.name, ill ? "is silent" : "cries wolf");
            if (spoke && ill) {
                cr_expect_str_eq(finding.code, rule->desc.name);
                cr_expect_gt(finding.evidence_count, 0, "%s", rule->desc.name);
                check_texts(&finding);
            }
            unmake();
        }
    }
    make(TWO_LAYERS); // for the end
}
