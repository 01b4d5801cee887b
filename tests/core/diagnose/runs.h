// Runs made up for the rules: a small net, the facts of its job, a history written by hand.
#pragma once
#include <math.h>
#include "core/diagnose/rule.h"
#include "tests/core/sample.h"

static Model *model;
static Net net;
static Task task;
static Facts facts;
static History *history;

static inline void make_for(const char *layers, Task wanted) {
    Issues issues;
    issues_init(&issues);
    task = wanted;
    cr_assert_eq(model_create(json_value(&sample_arena, layers), NULL, &task, &issues, &model), OK);
    issues_finish(&issues);
    net_read(model, &net);
    history = memory_array(1, history_bytes(model_layers(model)));
    history_init(history, model_layers(model));
    facts = (Facts){.task = &task,
                    .spec = VALUE_NONE,
                    .loss = "cross_entropy",
                    .optimizer = "sgd",
                    .schedule = "constant",
                    .learning_rate = 0.1,
                    .clip_norm = NAN,
                    .clip_value = NAN,
                    .class_weight_ratio = 1,
                    .huber_delta = NAN,
                    .batch_rows = 16,
                    .train_rows = 160,
                    .validation_rows = 40,
                    .steps = 400,
                    .standardized = true,
                    .rare_recall = NAN,
                    .survey = {.constant_metric = 0.5,
                               .constant_loss = 0.69,
                               .reference_metric = 1,
                               .reference_error = 0.02,
                               .telling_feature = -1,
                               .shift_feature = -1}};
}

static inline void make(const char *layers) {
    make_for(layers, (Task){.kind = TASK_CLASSIFICATION, .input = SHAPE(3), .outputs = 2});
}

static inline void end(void) {
    memory_free(history);
    history = NULL;
    model_destroy(model);
    sample_end();
}

// A run of 400 steps in 40 epochs at this loss and accuracy throughout, every layer's records alike.
static inline void run_at(double loss, double accuracy, LayerStatistics layer) {
    LayerStatistics layers[32];
    for (int i = 0; i < model_layers(model); i++)
        layers[i] = layer;
    for (int64_t step = 1; step <= 400; step++) {
        history_step(history, step, loss, 0.5, 0.1);
        history_record(history, step, layers);
        if (step % 10 == 0)
            history_epoch(history, &(EpochPoint){step / 10, step, loss, accuracy, loss, accuracy});
    }
    for (int i = 0; i < model_layers(model); i++)
        history->layer[i].start_scale = 1;
}

static inline RuleView view_at(Stage stage) {
    RuleView view = {.stage = stage,
                     .model = model,
                     .loss = facts.loss,
                     .facts = &facts,
                     .net = &net,
                     .train_loss = NAN,
                     .gradient_norm = NAN};
    if (stage != STAGE_BEFORE) {
        view.history = history;
        view.outcome = outcome_judge(&facts, history, stage == STAGE_END, true);
    }
    return view;
}

static inline bool judge(const char *name, const RuleView *view, Finding *finding) {
    const RuleDesc *rule = (const RuleDesc *)registry_find(&rule_registry, name);
    cr_assert_not_null(rule);
    return rule->test(view, finding);
}

#define TWO_LAYERS                                                                                 \
    "{\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"relu\"},"                 \
    " {\"type\": \"dense\", \"units\": 2}]}"

static const LayerStatistics sound = {.gradient_norm = 0.2,
                                      .weight_norm = 2,
                                      .update_ratio = 2e-3,
                                      .activation_mean = 0.1,
                                      .activation_std = 1,
                                      .dead_fraction = 0,
                                      .saturated_fraction = NAN};
