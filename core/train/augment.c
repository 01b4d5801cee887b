// Which augmentations fit which rows, and a batch's rows run through them on all threads: each row has a generator of its own,
// so that the chunks of the loop do not matter.
#include "core/train/augment.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/train/augmentations/augmentations.h"
#include "core/train/job_private.h"

// ---- fitting ----

bool job_reads_images(const Job *job) {
    const Shape *shape = model_input_shape(job->model);
    if (job->task.rows != ROWS_ALIKE || job->task.vocabulary > 0)
        return false;
    for (int i = 0; shape->rank == 2 && i < model_layers(job->model); i++)
        if (strcmp(model_layer(job->model, i)->desc->desc.name, "conv2d") == 0)
            return true;
    return shape->rank == 3;
}

// Why the job's rows are not what the augmentation is for; NULL: they are.
static const char *misfit(const Job *job, AugmentationRows rows) {
    const Task *task = &job->task;
    switch (rows) {
    case AUGMENT_IMAGES:
        if (job_reads_images(job))
            return NULL;
        if (task->rows == ROWS_ALIKE && task->vocabulary == 0)
            return "is for images, and the model reads none: images have an input.shape of "
                   "[height, "
                   "width, channels]";
        return "is for images, and the dataset has none";
    case AUGMENT_NUMBERS:
        return task->vocabulary == 0 ? NULL : "is for numbers, and the dataset's rows are texts";
    case AUGMENT_TEXTS:
        if (task->vocabulary == 0)
            return "is for texts, and the dataset has none";
        if (task->kind == TASK_LANGUAGE_MODEL)
            return "is for texts with a target each: in a corpus every token is the target of the "
                   "one before";
        return NULL;
    }
    return NULL;
}

static AugmentTask describe(const Job *job) {
    const Shape *shape = model_input_shape(job->model);
    return (AugmentTask){.height = shape->rank > 1 ? shape->dim[0] : 1,
                         .width = shape->rank > 1 ? shape->dim[1] : shape->dim[0]};
}

static int fit_all(Job *job, const AugmentTask *task, const Path *path, Issues *issues) {
    const SelectionList *list = &job->training.augment;
    int result = OK;
    for (size_t i = 0; i < list->count; i++) {
        const AugmentationDesc *desc = (const AugmentationDesc *)list->items[i].desc;
        const Path *place = PATH_INDEX(path, i);
        const char *why = misfit(job, desc->rows);
        job->augment[i] = list->items[i].params;
        int error = OK;
        if (why != NULL) {
            issues_add(issues, place, "\"%s\" %s", desc->desc.name, why);
            error = ERR_INVALID;
        } else if (desc->prepare != NULL) {
            error = desc->prepare(list->items[i].params, task, place, issues, &job->arena,
                                  &job->augment[i]);
        }
        if (error == ERR_NO_MEMORY)
            return error;
        if (error != OK)
            result = error;
    }
    return result;
}

int job_fit_augment(Job *job, const Path *path, Issues *issues) {
    SelectionList *list = &job->training.augment;
    path = PATH_KEY(path, "augment");
    job->augment = arena_array(&job->arena, list->count, sizeof(*job->augment));
    if (job->augment == NULL)
        return ERR_NO_MEMORY;
    Vocabulary vocabulary = {0};
    AugmentTask task = describe(job);
    if (job->task.vocabulary > 0 && list->count > 0) {
        int error = vocabulary_load(job->dataset->archive, &vocabulary);
        if (error != OK)
            return error;
        task.vocabulary = &vocabulary;
    }
    int result = fit_all(job, &task, path, issues);
    vocabulary_finish(&vocabulary);
    return result;
}

// ---- running ----

static size_t row_elements(const Job *job) {
    return (size_t)shape_elements(model_input_shape(job->model));
}

size_t augmenter_bytes(const Job *job) {
    return job->training.augment.count == 0
               ? 0
               : row_elements(job) * (size_t)job->threads * sizeof(Real);
}

int augmenter_init(Augmenter *augmenter, const Job *job) {
    *augmenter = (Augmenter){.job = job};
    if (job->training.augment.count == 0)
        return OK;
    augmenter->spare = memory_array((size_t)job->threads * row_elements(job), sizeof(Real));
    return augmenter->spare != NULL ? OK : ERR_NO_MEMORY;
}

void augmenter_finish(Augmenter *augmenter) {
    memory_free(augmenter->spare);
    *augmenter = (Augmenter){0};
}

typedef struct Run {
    const Augmenter *augmenter;
    Batch *batch;
    int64_t step;
} Run;

static void run_rows(void *context, size_t begin, size_t end, int thread) {
    const Run *run = context;
    const Job *job = run->augmenter->job;
    const Batch *batch = run->batch;
    const Shape *shape = model_input_shape(job->model);
    int64_t elements = shape_elements(shape), time = shape->dim[0];
    for (size_t i = begin; i < end; i++) {
        AugmentRow row = {.height = time,
                          .width = shape->rank > 1 ? shape->dim[1] : 1,
                          .channels = shape->rank > 2 ? shape->dim[2] : 1,
                          .count = batch->lengths == NULL ? elements
                                                          : batch->lengths[i] * (elements / time),
                          .values = batch->inputs.data + (int64_t)i * elements,
                          .spare = run->augmenter->spare + thread * elements};
        Rng rng = rng_make((uint64_t)job->training.seed, RNG_AUGMENT, (uint64_t)run->step, i);
        for (size_t a = 0; a < job->training.augment.count; a++)
            ((const AugmentationDesc *)job->training.augment.items[a].desc)
                ->apply(job->augment[a], &row, &rng);
    }
}

void augmenter_run(const Augmenter *augmenter, Batch *batch, int64_t step, Parallel *parallel) {
    if (augmenter->spare == NULL)
        return;
    // A rotation's four neighbours make it some fifty operations for a number; others have fewer.
    size_t grain = parallel_grain(50 * row_elements(augmenter->job));
    parallel_for(parallel, (size_t)batch->inputs.shape.dim[0], grain, run_rows,
                 &(Run){augmenter, batch, step});
}
