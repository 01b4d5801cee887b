// Rows of one shape: tables, images, and sequences that are all equally long.
//
//   "inputs"   f32 [rows, …]; NaN: missing
//   "targets"  i32 [rows] class numbers, or f32 [rows, width]
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/forms/form.h"

// Rows are numbered by int32 in orders and splits.
enum { ROWS_MAX = INT32_MAX };

static int rows_open(Dataset *dataset) {
    const ArchiveSection *inputs = archive_typed(dataset->archive, "inputs", ARCHIVE_F32);
    if (dataset->task.kind == TASK_LANGUAGE_MODEL || inputs == NULL || inputs->rank < 1 ||
        inputs->rank > SHAPE_RANK_MAX || inputs->dims[0] < 1 || inputs->dims[0] > ROWS_MAX)
        return ERR_DAMAGED;
    dataset->rows = inputs->dims[0];
    dataset->inputs = inputs->data;
    Shape *shape = &dataset->task.input;
    shape->rank = inputs->rank - 1;
    memcpy(shape->dim, inputs->dims + 1, (size_t)shape->rank * sizeof(*shape->dim));
    if (shape->rank == 0) // rows of one number
        *shape = SHAPE(1);
    dataset->stride = shape_elements(shape);
    if (dataset->stride == 0)
        return ERR_DAMAGED;
    return form_read_targets(dataset, dataset->rows, false);
}

typedef enum InputRange { RANGE_ANY, RANGE_UNIT, RANGE_BYTES } InputRange;

static InputRange input_range(const Dataset *dataset) {
    float least = INFINITY, greatest = -INFINITY;
    int64_t width = shape_elements(&dataset->task.input);
    for (int64_t i = 0; i < dataset->rows * width; i++) {
        least = fminf(least, dataset->inputs[i]); // ignores NaN
        greatest = fmaxf(greatest, dataset->inputs[i]);
    }
    if (!(least >= 0 && greatest <= 255))
        return RANGE_ANY;
    return greatest > 1 ? RANGE_BYTES : RANGE_UNIT;
}

// Images keep the relation of their pixels: bytes are divided by 255, fractions stay as they are.
static ScalerKind scaler_kind(const Job *job) {
    if (!job_training(job)->standardize)
        return SCALER_IDENTITY;
    if (!job_reads_images(job))
        return SCALER_STANDARD;
    switch (input_range(job_dataset(job))) {
    case RANGE_UNIT:
        return SCALER_IDENTITY;
    case RANGE_BYTES:
        return SCALER_BYTES;
    case RANGE_ANY:
        break;
    }
    return SCALER_STANDARD;
}

static int rows_fit_inputs(const Job *job, Scaler *ret_scaler) {
    const Dataset *dataset = job_dataset(job);
    const JobRows *rows = job_rows(job);
    return scaler_fit(scaler_kind(job), dataset->inputs, shape_elements(&dataset->task.input),
                      rows->train, rows->train_count, ret_scaler);
}

static void gather_some(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Batch *batch = context;
    const Dataset *dataset = job_dataset(batch->job);
    int64_t width = shape_elements(&dataset->task.input);
    for (size_t i = begin; i < end; i++) {
        const float *row = dataset->inputs + batch->numbers[i] * dataset->stride;
        if (dataset->places != NULL) {
            for (int64_t c = 0; c < width; c++)
                batch->scratch[c] = dataset->places[c] < 0 ? 0 : row[dataset->places[c]];
            row = batch->scratch;
        }
        scaler_apply(&batch->scalers->input, row, batch->inputs.data + (int64_t)i * width, 1,
                     width);
    }
}

static void rows_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    size_t width = (size_t)shape_elements(&dataset->task.input);
    Parallel *parallel = dataset->places == NULL ? batch->parallel : NULL; // there is one scratch
    parallel_for(parallel, (size_t)count, parallel_grain(4 * width), gather_some, batch);
    form_gather_targets(batch, rows, count);
}

const FormDesc form_rows = {
    .desc = {.name = "rows", .summary = "rows of one shape, with a target each"},
    .open = rows_open,
    .fit_inputs = rows_fit_inputs,
    .gather = rows_gather,
};
