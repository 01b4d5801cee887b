// Checkpoints: all that decides the rest of a run, as an archive.
//
//   "job"            text: SHA-256 over the job's spec with every default, and the dataset's hash
//   "blas_core", "threads"   what the bits of a product depend on
//   "progress"       i64 [6]: step, correct, rows, best epoch, epochs waited, stopped
//   "sums"           f64 [2]: loss and weight of the epoch under way
//   "best_value"     f64 [1]; "validation", "best"  f64 [5]: loss, accuracy, mae, rmse, r2
//   "schedule"       f64 [SCHEDULE_STATE]
//   "history"        bytes: History, of this build
//   "reported"       bytes: codes of the findings made so far, each closed by a NUL
//   "weights"        [graph_weight_elements]; "best_weights" likewise, where they are kept
//   "slot.NAME"      [graph_learned] for each slot of the phase's optimizer
//
// Saving reads the trainer only; loading checks everything before it changes anything.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/train/fingerprint.h"
#include "core/train/trainer_private.h"

enum { PROGRESS_COUNT = 6, METRIC_COUNT = 5 };

#define ARCHIVE_REAL (sizeof(Real) == sizeof(float) ? ARCHIVE_F32 : ARCHIVE_F64)

// The phase that the slots are of: that of the newest step, or of the first.
static const JobPhase *phase_of(const Trainer *trainer, int64_t step) {
    return job_phase_at(trainer->job, step > 0 ? step : 1);
}

static void slot_section(const JobPhase *phase, int slot, char name[64]) {
    const OptimizerDesc *optimizer = (const OptimizerDesc *)phase->optimizer.desc;
    snprintf(name, 64, "slot.%s", optimizer->slot_names[slot]);
}

// ---- saving ----

static int add_reals(ArchiveWriter *writer, const char *name, const Real *values, size_t count) {
    int64_t dims[] = {(int64_t)count};
    return archive_add(writer, name, ARCHIVE_REAL, 1, dims, values);
}

static int add_doubles(ArchiveWriter *writer, const char *name, const double *values,
                       int64_t count) {
    return archive_add(writer, name, ARCHIVE_F64, 1, &count, values);
}

static int add_metrics(ArchiveWriter *writer, const char *name, const Metrics *metrics) {
    double values[METRIC_COUNT] = {metrics->loss, metrics->accuracy, metrics->mae, metrics->rmse,
                                   metrics->r2};
    return add_doubles(writer, name, values, METRIC_COUNT);
}

static int add_identity(const Trainer *trainer, ArchiveWriter *writer) {
    char fingerprint[HASH_TEXT];
    job_fingerprint(trainer->job, fingerprint);
    const char *core = blas_core_in_use();
    int64_t threads = job_threads(trainer->job), one = 1;
    int error = archive_add_text(writer, "job", fingerprint);
    if (error == OK)
        error = archive_add_text(writer, "blas_core", core);
    if (error == OK)
        error = archive_add(writer, "threads", ARCHIVE_I64, 1, &one, &threads);
    return error;
}

static int add_reported(const Trainer *trainer, ArchiveWriter *writer) {
    int error = archive_begin(writer, "reported", ARCHIVE_U8);
    int64_t bytes = 0;
    for (size_t i = 0; i < rule_registry.count && error == OK; i++)
        if (trainer->reported[i]) {
            const char *code = rule_registry.entries[i]->name;
            error = archive_append(writer, code, strlen(code) + 1);
            bytes += (int64_t)strlen(code) + 1;
        }
    return error == OK ? archive_end(writer, 1, &bytes) : error;
}

static int add_state(const Trainer *trainer, ArchiveWriter *writer) {
    const TrainerState *state = &trainer->state;
    int64_t progress[PROGRESS_COUNT] = {state->step,       state->correct,       state->rows,
                                        state->best_epoch, state->epochs_waited, state->stopped};
    double sums[] = {state->loss_sum, state->weight_sum};
    int64_t count = PROGRESS_COUNT;
    int error = archive_add(writer, "progress", ARCHIVE_I64, 1, &count, progress);
    if (error == OK)
        error = add_doubles(writer, "sums", sums, 2);
    if (error == OK)
        error = add_doubles(writer, "best_value", &state->best_value, 1);
    if (error == OK)
        error = add_metrics(writer, "validation", &state->validation);
    if (error == OK)
        error = add_metrics(writer, "best", &state->best);
    if (error == OK)
        error = add_doubles(writer, "schedule", state->schedule_state, SCHEDULE_STATE);
    int64_t bytes = (int64_t)history_bytes(trainer->history->layers);
    if (error == OK)
        error = archive_add(writer, "history", ARCHIVE_U8, 1, &bytes, trainer->history);
    return error == OK ? add_reported(trainer, writer) : error;
}

static int add_arrays(const Trainer *trainer, ArchiveWriter *writer) {
    const Graph *graph = model_graph(job_model(trainer->job));
    size_t elements = graph_weight_elements(graph), learned = graph_learned(graph);
    int error = add_reals(writer, "weights", trainer->weights, elements);
    if (error == OK && trainer->best_weights != NULL)
        error = add_reals(writer, "best_weights", trainer->best_weights, elements);
    const JobPhase *phase = phase_of(trainer, trainer->state.step);
    for (int s = 0; s < phase_slots(phase) && error == OK; s++) {
        char name[64];
        slot_section(phase, s, name);
        error = add_reals(writer, name, trainer->slots + (size_t)s * learned, learned);
    }
    return error;
}

int trainer_save(const Trainer *trainer, int directory, const char *path) {
    ArchiveWriter *writer;
    int error = archive_writer_create(directory, path, &writer);
    if (error != OK)
        return error;
    error = add_identity(trainer, writer);
    if (error == OK)
        error = add_state(trainer, writer);
    if (error == OK)
        error = add_arrays(trainer, writer);
    if (error == OK)
        error = archive_commit(writer, NULL);
    archive_writer_destroy(writer);
    return error;
}

// ---- loading ----

// The data of a section of this type and count; NULL where there is none such.
static const void *array_of(const Archive *archive, const char *name, ArchiveType type,
                            size_t count) {
    const ArchiveSection *section = archive_typed(archive, name, type);
    return section != NULL && section->rank == 1 && section->dims[0] == (int64_t)count
               ? section->data
               : NULL;
}

static int check_text(const Archive *archive, const char *name, const char *wanted) {
    AUTO_FREE char *text = archive_text(archive, name);
    if (text == NULL)
        return archive_text_error(archive, name);
    return strcmp(text, wanted) == 0 ? OK : ERR_CONFLICT;
}

static int check_identity(const Trainer *trainer, const Archive *archive) {
    char fingerprint[HASH_TEXT];
    job_fingerprint(trainer->job, fingerprint);
    const int64_t *threads = array_of(archive, "threads", ARCHIVE_I64, 1);
    if (threads == NULL)
        return ERR_DAMAGED;
    if (*threads != job_threads(trainer->job))
        return ERR_CONFLICT;
    int error = check_text(archive, "job", fingerprint);
    return error == OK ? check_text(archive, "blas_core", blas_core_in_use()) : error;
}

static Metrics metrics_of(const double values[METRIC_COUNT]) {
    return (Metrics){values[0], values[1], values[2], values[3], values[4]};
}

static int load_state(const Trainer *trainer, const Archive *archive, TrainerState *ret_state) {
    const int64_t *progress = array_of(archive, "progress", ARCHIVE_I64, PROGRESS_COUNT);
    const double *sums = array_of(archive, "sums", ARCHIVE_F64, 2);
    const double *best_value = array_of(archive, "best_value", ARCHIVE_F64, 1);
    const double *validation = array_of(archive, "validation", ARCHIVE_F64, METRIC_COUNT);
    const double *best = array_of(archive, "best", ARCHIVE_F64, METRIC_COUNT);
    const double *schedule = array_of(archive, "schedule", ARCHIVE_F64, SCHEDULE_STATE);
    if (progress == NULL || sums == NULL || best_value == NULL || validation == NULL ||
        best == NULL || schedule == NULL || progress[0] < 0 ||
        progress[0] > job_steps(trainer->job))
        return ERR_DAMAGED;
    *ret_state = (TrainerState){
        .step = progress[0],
        .correct = progress[1],
        .rows = progress[2],
        .best_epoch = progress[3],
        .epochs_waited = progress[4],
        .stopped = progress[5] != 0,
        .loss_sum = sums[0],
        .weight_sum = sums[1],
        .best_value = best_value[0],
        .validation = metrics_of(validation),
        .best = metrics_of(best),
    };
    memcpy(ret_state->schedule_state, schedule, sizeof(ret_state->schedule_state));
    return OK;
}

static void load_reported(Trainer *trainer, const ArchiveSection *section) {
    const char *codes = section->data;
    for (size_t i = 0; i < rule_registry.count; i++) {
        trainer->reported[i] = false;
        for (size_t at = 0; at < section->bytes; at += strnlen(codes + at, section->bytes - at) + 1)
            trainer->reported[i] |=
                strncmp(codes + at, rule_registry.entries[i]->name, section->bytes - at) == 0;
    }
}

static int load(Trainer *trainer, const Archive *archive, int64_t latest) {
    const Graph *graph = model_graph(job_model(trainer->job));
    size_t elements = graph_weight_elements(graph), learned = graph_learned(graph);
    TrainerState state;
    int error = check_identity(trainer, archive);
    if (error == OK)
        error = load_state(trainer, archive, &state);
    if (error == OK && state.step > latest)
        error = ERR_CONFLICT;
    if (error != OK)
        return error;
    const ArchiveSection *reported = archive_typed(archive, "reported", ARCHIVE_U8);
    size_t bytes = history_bytes(trainer->history->layers);
    const void *history = array_of(archive, "history", ARCHIVE_U8, bytes);
    const Real *weights = array_of(archive, "weights", ARCHIVE_REAL, elements);
    const Real *best = array_of(archive, "best_weights", ARCHIVE_REAL, elements);
    const Real *slots[OPTIMIZER_SLOTS_MAX] = {NULL};
    bool whole = reported != NULL && history != NULL && weights != NULL &&
                 (best != NULL) == (trainer->best_weights != NULL);
    const JobPhase *phase = phase_of(trainer, state.step);
    for (int s = 0; s < phase_slots(phase); s++) {
        char name[64];
        slot_section(phase, s, name);
        slots[s] = array_of(archive, name, ARCHIVE_REAL, learned);
        whole = whole && slots[s] != NULL;
    }
    if (!whole)
        return ERR_DAMAGED;
    trainer->state = state;
    memcpy(trainer->weights, weights, elements * sizeof(Real));
    if (best != NULL)
        memcpy(trainer->best_weights, best, elements * sizeof(Real));
    for (int s = 0; s < phase_slots(phase); s++)
        memcpy(trainer->slots + (size_t)s * learned, slots[s], learned * sizeof(Real));
    load_reported(trainer, reported);
    memcpy(trainer->history, history, bytes);
    trainer->history->layers = model_layers(job_model(trainer->job));
    return OK;
}

int trainer_load(Trainer *trainer, int directory, const char *path, int64_t latest) {
    Archive *archive;
    int error = archive_open(directory, path, true, &archive);
    if (error != OK)
        return error;
    error = load(trainer, archive, latest);
    archive_close(archive);
    return error;
}
