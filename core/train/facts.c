// Words and numbers of a job for the rules. Optimizers, losses and schedules have parameters of their own; they are found by name.
#include <math.h>
#include <string.h>
#include "core/train/job_private.h"
#include "core/train/watch.h"

static double parameter(const Selection *selection, const char *name, double fallback) {
    if (selection->desc == NULL || selection->params == NULL)
        return fallback;
    for (size_t i = 0; i < selection->desc->param_count; i++) {
        const ParamSpec *param = &selection->desc->params[i];
        const char *at = (const char *)selection->params + param->offset;
        if (strcmp(param->name, name) != 0)
            continue;
        if (param->type == PARAM_NUMBER)
            return *(const double *)(const void *)at;
        if (param->type == PARAM_INTEGER)
            return (double)*(const int64_t *)(const void *)at;
    }
    return fallback;
}

static bool is(const char *text, const char *other) {
    return strcmp(text, other) == 0;
}

static double weight_ratio(const Job *job) {
    const Real *weights = job_class_weights(job);
    if (weights == NULL)
        return 1;
    double least = INFINITY, most = 0;
    for (int64_t c = 0; c < job_task(job)->outputs; c++) {
        least = fmin(least, (double)weights[c]);
        most = fmax(most, (double)weights[c]);
    }
    return most / least;
}

// Whether inputs and targets come scaled: by statistics, or as pixels.
static bool standardized(const Job *job) {
    return job_training(job)->standardize || job_task(job)->vocabulary > 0 ||
           job_task(job)->rows == ROWS_NODES || job_task(job)->rows == ROWS_GRAPHS;
}

void facts_fill(const Job *job, Facts *ret_facts) {
    const TrainingParams *training = job_training(job);
    const JobPhase *phase = job_phase(job, 0);
    const OptimizerCommon *common = phase->optimizer.params;
    const ScheduleCommon *schedule = phase->schedule.params;
    const char *optimizer = phase->optimizer.desc->name;
    *ret_facts = (Facts){
        .spec = job->spec,
        .task = job_task(job),
        .loss = job_loss(job)->desc.name,
        .huber_delta = parameter(&training->loss, "delta", NAN),
        .label_smoothing = parameter(&training->loss, "label_smoothing", 0),
        .class_weight_ratio = weight_ratio(job),
        .optimizer = optimizer,
        .adaptive = !is(optimizer, "sgd"),
        .decoupled = is(optimizer, "adamw") || is(optimizer, "lion"),
        .learning_rate = common->learning_rate,
        .momentum = parameter(&phase->optimizer, "momentum", 0),
        .weight_decay = common->weight_decay,
        .schedule = phase->schedule.desc->name,
        .warmup_steps = schedule->warmup_steps,
        .clip_norm = training->clip_norm,
        .clip_value = training->clip_value,
        .batch_rows = phase->batch_rows,
        .train_rows = job_rows(job)->train_count,
        .validation_rows = job_rows(job)->validation_count,
        .steps = job_steps(job),
        .epochs = job_epochs(job),
        .steps_per_epoch = phase->steps_per_epoch,
        .standardized = standardized(job),
        .stops_early = training->stop != NULL,
        .restores_best = training->stop != NULL && training->stop->restore_best,
        .augmented = training->augment.count > 0,
        .fine_tunes = job->initial != NULL,
        .phased = job_phases(job) > 1,
        .seed = training->seed,
        .rare_recall = NAN,
    };
}
