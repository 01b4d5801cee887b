// The phases of a run: stretches of whole epochs, each under one optimizer, schedule and batch size.
// A job without `phases` has one, which may end within an epoch (`steps`).
//
// A phase takes what it does not name from the training object, `epochs` too. Steps and epochs count
// on over all phases. A schedule runs over its phase's steps alone, its warm-up included, and begins
// anew in each. The optimizer's memory goes on from one phase to the next only where neither names
// an optimizer.
#include <stddef.h>
#include "core/base/error.h"
#include "core/train/job_private.h"

enum { PHASES_MAX = 100, RECORDS_MAX = 2000 }; // gradient records that a job keeps at most
static const int64_t EPOCHS_MAX = 1000000000;

enum { UNNAMED = -1 }; // a phase's batch_size: the training object's

#define FIELD(name) offsetof(PhaseParams, name)
static const ParamSpec params[] = {
    {.name = "epochs",
     .type = PARAM_INTEGER,
     .offset = FIELD(epochs),
     .minimum = 1,
     .maximum = 1e9,
     .help = "passes over the training rows in this phase"},
    {.name = "optimizer",
     .type = PARAM_ENTRY,
     .offset = FIELD(optimizer),
     .registry = &optimizer_registry,
     .help = "in place of the job's; begins without a memory of earlier steps"},
    {.name = "schedule",
     .type = PARAM_ENTRY,
     .offset = FIELD(schedule),
     .registry = &schedule_registry,
     .help = "in place of the job's; runs over this phase's steps"},
    {.name = "batch_size",
     .type = PARAM_INTEGER,
     .offset = FIELD(batch_size),
     .default_number = UNNAMED,
     .minimum = 1,
     .maximum = 1e7,
     .keyword = "full",
     .keyword_number = 0,
     .help = "in place of the job's; rows per update"},
};
#undef FIELD

const Desc phase_desc = {
    .name = "phase",
    .summary = "a stretch of the training with settings of its own",
    .params = params,
    .param_count = ARRAY_LENGTH(params),
    .params_size = sizeof(PhaseParams),
};

// ---- reading ----

static int read_list(Job *job, Value list, const Path *path, Issues *issues) {
    job->given = arena_array(&job->arena, value_length(list), sizeof(*job->given));
    if (job->given == NULL)
        return ERR_NO_MEMORY;
    int result = OK;
    VALUE_FOREACH(item, list) {
        const void *phase;
        int error = params_read(&phase_desc, item, PATH_INDEX(path, job->given_count), NULL,
                                &job->arena, issues, &phase);
        if (error == ERR_NO_MEMORY)
            return error;
        if (error == OK)
            job->given[job->given_count] = *(const PhaseParams *)phase;
        else
            result = error;
        job->given_count++;
    }
    return result;
}

int job_read_phases(Job *job, const Path *path, Issues *issues) {
    Value list = job->training.phases;
    ValueKind kind = value_kind(list);
    if (kind == VALUE_MISSING || kind == VALUE_NULL)
        return OK;
    if (kind != VALUE_ARRAY || value_length(list) > PHASES_MAX) {
        issues_add(issues, PATH_KEY(path, "phases"), "must be a list of at most %d phases",
                   PHASES_MAX);
        return ERR_INVALID;
    }
    if (value_length(list) == 0)
        return OK;
    int result = read_list(job, list, PATH_KEY(path, "phases"), issues);
    if (result != ERR_NO_MEMORY && job->training.steps > 0) {
        issues_add(issues, PATH_KEY(path, "steps"),
                   "must not stand beside \"phases\", which count epochs");
        result = ERR_INVALID;
    }
    return result;
}

// ---- laying out ----

// The phase's batches, and its first step and epoch, behind the phase `before` (NULL: none).
static JobPhase begin_phase(const Job *job, const PhaseParams *given, const JobPhase *before) {
    const TrainingParams *training = &job->training;
    int64_t rows = job->rows.train_count;
    int64_t batch = given->batch_size == UNNAMED ? training->batch_size : given->batch_size;
    JobPhase phase = {
        .optimizer = given->optimizer.desc != NULL ? given->optimizer : training->optimizer,
        .schedule = given->schedule.desc != NULL ? given->schedule : training->schedule,
        .batch_rows = batch == 0 || batch > rows ? rows : batch,
    };
    phase.steps_per_epoch = (rows - 1) / phase.batch_rows + 1;
    if (before == NULL)
        return phase;
    phase.begin = before->end;
    phase.first_epoch =
        before->first_epoch + (before->end - before->begin) / before->steps_per_epoch;
    bool goes_on = phase.optimizer.params == before->optimizer.params;
    phase.memory_begin = goes_on ? before->memory_begin : phase.begin;
    return phase;
}

int job_lay_phases(Job *job, const Path *path, Issues *issues) {
    const TrainingParams *training = &job->training;
    PhaseParams whole = {.epochs = training->epochs, .batch_size = UNNAMED};
    bool given_phases = job->given_count > 0 && job->lr_range == NULL;
    size_t count = given_phases ? job->given_count : 1;
    job->phases = arena_array(&job->arena, count, sizeof(*job->phases));
    if (job->phases == NULL)
        return ERR_NO_MEMORY;
    int64_t epochs = 0;
    for (size_t i = 0; i < count; i++) {
        PhaseParams *given = given_phases ? &job->given[i] : &whole;
        if (given->epochs == 0)
            given->epochs = training->epochs;
        epochs += given->epochs;
        if (epochs > EPOCHS_MAX) {
            issues_add(issues, PATH_KEY(path, "phases"), "must have at most %lld epochs in all",
                       (long long)EPOCHS_MAX);
            return ERR_INVALID;
        }
        JobPhase *phase = &job->phases[i];
        *phase = begin_phase(job, given, i > 0 ? phase - 1 : NULL);
        // Epochs are at most 10⁹ in all and rows 2³¹: the sum of the products fits.
        phase->end = training->steps > 0 ? training->steps
                                         : phase->begin + given->epochs * phase->steps_per_epoch;
    }
    job->phase_count = count;
    if (job->lr_range != NULL && job_lay_lr_range(job, job->phases) != OK)
        return ERR_NO_MEMORY;
    job->record_every = training->record_every;
    if (job->record_every == 0)
        job->record_every = (job_steps(job) - 1) / RECORDS_MAX + 1;
    return OK;
}

// ---- asking ----

size_t job_phases(const Job *job) {
    return job->phase_count;
}

const JobPhase *job_phase(const Job *job, size_t index) {
    return &job->phases[index];
}

const JobPhase *job_phase_at(const Job *job, int64_t step) {
    const JobPhase *phase = job->phases, *last = phase + job->phase_count - 1;
    while (phase < last && step > phase->end)
        phase++;
    return phase;
}

int64_t job_steps(const Job *job) {
    return job->phases[job->phase_count - 1].end;
}

int64_t job_epoch_at(const Job *job, int64_t step) {
    const JobPhase *phase = job_phase_at(job, step);
    return phase->first_epoch + (step - 1 - phase->begin) / phase->steps_per_epoch + 1;
}

int64_t job_epochs(const Job *job) {
    return job_epoch_at(job, job_steps(job));
}

int64_t job_batch_rows(const Job *job) {
    int64_t most = 0;
    for (size_t i = 0; i < job->phase_count; i++)
        most = job->phases[i].batch_rows > most ? job->phases[i].batch_rows : most;
    return most;
}

int phase_slots(const JobPhase *phase) {
    return ((const OptimizerDesc *)phase->optimizer.desc)->slots(phase->optimizer.params);
}

int job_slots(const Job *job) {
    int most = 0;
    for (size_t i = 0; i < job->phase_count; i++)
        most = phase_slots(&job->phases[i]) > most ? phase_slots(&job->phases[i]) : most;
    return most;
}

int64_t job_samples(const Job *job, int64_t step) {
    if (step == 0)
        return 0;
    const JobPhase *phase = job_phase_at(job, step);
    int64_t rows = job->rows.train_count, done = step - phase->begin;
    int64_t epochs = phase->first_epoch + done / phase->steps_per_epoch;
    return epochs * rows + done % phase->steps_per_epoch * phase->batch_rows;
}

// ---- the spec again ----

void job_write_phases(const Job *job, const char *key, const ValueWriter *out) {
    if (job->given_count == 0) {
        write_null(out, key);
        return;
    }
    write_begin_array(out, key);
    for (size_t i = 0; i < job->given_count; i++) {
        const PhaseParams *given = &job->given[i];
        write_begin_object(out, NULL);
        write_integer(out, "epochs", given->epochs);
        if (given->optimizer.desc != NULL)
            selection_write(given->optimizer, "optimizer", out);
        if (given->schedule.desc != NULL)
            selection_write(given->schedule, "schedule", out);
        if (given->batch_size == 0)
            write_string(out, "batch_size", "full");
        else if (given->batch_size != UNNAMED)
            write_integer(out, "batch_size", given->batch_size);
        write_end_object(out);
    }
    write_end_array(out);
}
