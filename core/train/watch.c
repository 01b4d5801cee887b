// See watch.h. A run is looked at when its length has grown by half since the last time, so some thirty times in a million
// steps, and at its end. Nothing here decides a bit of the weights.
#include "core/train/watch.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/diagnose/advice.h"
#include "core/diagnose/weights.h"
#include "core/train/job_private.h"
#include "core/train/survey.h"

enum { EXTRA_FINDINGS = 4, FIRST_LOOK = 20 };

// A look at the data may take this share of the time that the job will run, in multiplications of about 10⁹ a second.
static const double SURVEY_SHARE = 0.004, SURVEY_LEAST = 1e6, SURVEY_MOST = 1.5e8;

int watch_create(Trainer *trainer) {
    const Model *model = job_model(trainer->job);
    int layers = model_layers(model);
    trainer->history = memory_array(1, history_bytes(layers));
    trainer->findings = memory_array(rule_registry.count + EXTRA_FINDINGS, sizeof(Finding));
    if (trainer->history == NULL || trainer->findings == NULL)
        return ERR_NO_MEMORY;
    history_init(trainer->history, layers);
    net_read(model, &trainer->net);
    facts_fill(trainer->job, &trainer->facts);
    trainer->facts.survey = SURVEY_NONE;
    return OK;
}

void watch_destroy(Trainer *trainer) {
    memory_free(trainer->history);
    memory_free(trainer->findings);
}

static void measure_start(Trainer *trainer) {
    const Model *model = job_model(trainer->job);
    for (int i = 0; i < model_layers(model); i++) {
        LayerHistory *layer = &trainer->history->layer[i];
        layer->start_norm = weights_norm(model, trainer->weights, i);
        layer->start_scale = weights_scale(model, trainer->weights, i);
        layer->start_duplicates = weights_duplicates(model, trainer->weights, i);
    }
}

// ---- looking ----

static RuleView view_of(const Trainer *trainer, Stage stage, const WatchFailure *failure) {
    RuleView view = {.stage = stage,
                     .model = job_model(trainer->job),
                     .loss = job_loss(trainer->job)->desc.name,
                     .facts = &trainer->facts,
                     .net = &trainer->net,
                     .train_loss = NAN,
                     .gradient_norm = NAN};
    if (stage == STAGE_BEFORE)
        return view;
    view.history = trainer->history;
    view.weights = trainer->weights;
    view.outcome =
        outcome_judge(&trainer->facts, trainer->history, stage == STAGE_END, failure == NULL);
    if (trainer->probes)
        view.outcome = outcome_judge_probe(&trainer->facts, trainer->history, view_travel(&view),
                                           failure == NULL);
    if (failure == NULL)
        return view;
    view.step = failure->step;
    view.train_loss = failure->loss;
    view.gradient_norm = failure->gradient_norm;
    view.layers = statistics_layers(trainer->statistics);
    view.bad_row_count = failure->row_count;
    memcpy(view.bad_rows, failure->rows, sizeof view.bad_rows);
    return view;
}

static void send(const Trainer *trainer, const TrainEvent *event) {
    if (trainer->hooks.event != NULL)
        trainer->hooks.event(trainer->hooks.context, event);
}

typedef struct Findings {
    Finding *items;
    int count;
} Findings;

static void add_initial(void *context, const Finding *finding) {
    Findings *findings = context;
    findings->items[findings->count++] = *finding;
}

// Tells of a finding once; while the run goes on only of what hurts.
static void tell(Trainer *trainer, const Finding *finding, Stage stage, int64_t step,
                 int64_t epoch) {
    if (stage == STAGE_LIVE && finding->severity == SEVERITY_INFO)
        return;
    for (size_t i = 0; i < rule_registry.count; i++) {
        if (strcmp(rule_registry.entries[i]->name, finding->code) != 0)
            continue;
        if (trainer->reported[i])
            return;
        trainer->reported[i] = true;
    }
    send(trainer,
         &(TrainEvent){.kind = TRAIN_FINDING, .step = step, .epoch = epoch, .finding = finding});
}

static uint64_t fingerprint_of(const Findings *findings) {
    uint64_t hash = (uint64_t)findings->count;
    for (int i = 0; i < findings->count; i++)
        for (const char *c = findings->items[i].code; *c != '\0'; c++)
            hash = (hash ^ (uint64_t)*c ^ (uint64_t)findings->items[i].severity << 8) *
                   UINT64_C(0x100000001B3);
    return hash;
}

static void look(Trainer *trainer, Stage stage, const WatchFailure *failure, int64_t step,
                 int64_t epoch) {
    const RuleView view = view_of(trainer, stage, failure);
    Findings findings = {trainer->findings, rules_run(&view, trainer->findings)};
    job_initial_findings(trainer->job, add_initial, &findings);
    for (int i = 0; i < findings.count; i++)
        tell(trainer, &findings.items[i], stage, step, epoch);
    uint64_t fingerprint = fingerprint_of(&findings);
    if (stage == STAGE_LIVE && fingerprint == trainer->history->told)
        return;
    trainer->history->told = fingerprint;
    send(trainer, &(TrainEvent){.kind = TRAIN_DIAGNOSIS,
                                .step = step,
                                .epoch = epoch,
                                .findings = findings.items,
                                .finding_count = findings.count,
                                .view = &view});
}

// ---- on the way ----

int watch_begin(Trainer *trainer) {
    double work =
        fmin(fmax(SURVEY_SHARE * 1e9 * job_seconds(trainer->job), SURVEY_LEAST), SURVEY_MOST);
    int error = survey_take(trainer->job, &trainer->batch, work, &trainer->facts.survey);
    if (error != OK)
        return error;
    if (trainer->state.step > 0)
        return OK; // a resumed run has told it
    measure_start(trainer);
    trainer->history->next_look = FIRST_LOOK;
    look(trainer, STAGE_BEFORE, NULL, 0, 0);
    return OK;
}

void watch_step(Trainer *trainer, int64_t step, double loss, double gradient_norm,
                double learning_rate) {
    history_step(trainer->history, step, loss, gradient_norm, learning_rate);
}

void watch_record(Trainer *trainer, int64_t step) {
    history_record(trainer->history, step, statistics_layers(trainer->statistics));
}

void watch_epoch(Trainer *trainer, int64_t epoch, int64_t step, const Metrics *train) {
    const Metrics *validation = &trainer->state.validation;
    bool numbers = job_task(trainer->job)->kind == TASK_REGRESSION;
    double constant = trainer->facts.survey.constant_loss;
    const EpochPoint point = {.epoch = epoch,
                              .step = step,
                              .train_loss = train->loss,
                              .train_metric =
                                  numbers ? 1 - train->loss / constant : train->accuracy,
                              .val_loss = validation->loss,
                              .val_metric = numbers ? validation->r2 : validation->accuracy};
    history_epoch(trainer->history, &point);
}

void watch_look(Trainer *trainer, int64_t step, int64_t epoch) {
    if (step < trainer->history->next_look || step == trainer->facts.steps)
        return;
    trainer->history->next_look = step + step / 2;
    look(trainer, STAGE_LIVE, NULL, step, epoch);
}

void watch_failed(Trainer *trainer, const WatchFailure *failure, int64_t epoch) {
    bool ends = job_training(trainer->job)->stop_on_divergence;
    look(trainer, ends ? STAGE_END : STAGE_LIVE, failure, failure->step, epoch);
}

// How many of the rarest class's validation rows are told rightly.
static double rare_recall(Trainer *trainer) {
    const Survey *survey = &trainer->facts.survey;
    Confusion confusion;
    double recall = NAN;
    if (!(survey->class_most >= 5 * survey->class_least) ||
        trainer_confusion(trainer, &confusion) != OK)
        return NAN;
    double fewest = INFINITY;
    for (int64_t c = 0; c < confusion.classes; c++) {
        double support = 0;
        for (int64_t k = 0; k < confusion.classes; k++)
            support += (double)confusion.counts[c * confusion.classes + k];
        if (support < 3 || support >= fewest)
            continue;
        fewest = support;
        recall = (double)confusion.counts[c * confusion.classes + c] / support;
    }
    confusion_finish(&confusion);
    return recall;
}

void watch_probed(Trainer *trainer) {
    look(trainer, STAGE_PROBE, NULL, trainer->state.step, 1);
}

void watch_end(Trainer *trainer, int64_t epoch) {
    trainer->facts.rare_recall = rare_recall(trainer);
    look(trainer, STAGE_END, NULL, trainer->state.step, epoch);
}
