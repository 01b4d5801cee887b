// Gathering: each row is scaled on its way from the mapped dataset into the batch, so data is
// touched once.
#include "core/train/batches.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"

enum { EVALUATION_ROWS = 256 };

// ---- scaling ----

typedef enum InputRange { RANGE_ANY, RANGE_UNIT, RANGE_BYTES } InputRange;

static InputRange input_range(const Dataset *dataset) {
    float least = INFINITY, greatest = -INFINITY;
    for (int64_t i = 0; i < dataset->rows * dataset->input_width; i++) {
        least = fminf(least, dataset->inputs[i]); // ignores NaN
        greatest = fmaxf(greatest, dataset->inputs[i]);
    }
    if (!(least >= 0 && greatest <= 255))
        return RANGE_ANY;
    return greatest > 1 ? RANGE_BYTES : RANGE_UNIT;
}

// Images keep the relation of their pixels: bytes are divided by 255, fractions stay as they are.
static ScalerKind input_kind(const Job *job) {
    if (!job_training(job)->standardize)
        return SCALER_IDENTITY;
    if (model_input_shape(job_model(job))->rank != 3)
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

int scalers_fit(const Job *job, Scalers *ret_scalers) {
    const Dataset *dataset = job_dataset(job);
    const JobRows *rows = job_rows(job);
    Scalers scalers = {0};
    int error = scaler_fit(input_kind(job), dataset->inputs, dataset->input_width, rows->train,
                           rows->train_count, &scalers.input);
    if (error == OK && dataset->values != NULL) {
        // Targets of binary_cross_entropy are probabilities already.
        bool fractions = strcmp(job_loss(job)->desc.name, "binary_cross_entropy") == 0;
        bool scale = job_training(job)->standardize && !fractions;
        error = scaler_fit(scale ? SCALER_STANDARD : SCALER_IDENTITY, dataset->values,
                           dataset->task.outputs, rows->train, rows->train_count, &scalers.target);
    }
    if (error != OK) {
        scalers_finish(&scalers);
        return error;
    }
    *ret_scalers = scalers;
    return OK;
}

void scalers_finish(Scalers *scalers) {
    scaler_finish(&scalers->input);
    scaler_finish(&scalers->target);
}

// ---- batches ----

static int64_t target_width(const Job *job) {
    return job_binary(job) ? 1 : job_dataset(job)->task.outputs;
}

int batch_init(Batch *batch, const Job *job, const Scalers *scalers, int64_t max_rows) {
    *batch = (Batch){.job = job, .scalers = scalers, .max_rows = max_rows};
    const Shape *shape = model_input_shape(job_model(job));
    batch->inputs.shape.rank = shape->rank + 1;
    memcpy(batch->inputs.shape.dim + 1, shape->dim, (size_t)shape->rank * sizeof(*shape->dim));
    size_t inputs, targets;
    if (!size_multiply((size_t)max_rows, (size_t)job_dataset(job)->input_width, &inputs) ||
        !size_multiply((size_t)max_rows, (size_t)target_width(job), &targets))
        return ERR_TOO_LARGE;
    batch->inputs.data = memory_array(inputs, sizeof(Real));
    if (job_loss(job)->targets == TARGETS_CLASSES)
        batch->classes = memory_array((size_t)max_rows, sizeof(int32_t));
    else
        batch->values = memory_array(targets, sizeof(Real));
    if (batch->inputs.data != NULL && (batch->classes != NULL || batch->values != NULL))
        return OK;
    batch_finish(batch);
    return ERR_NO_MEMORY;
}

void batch_finish(Batch *batch) {
    memory_free(batch->inputs.data);
    memory_free(batch->classes);
    memory_free(batch->values);
    *batch = (Batch){0};
}

void batch_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Dataset *dataset = job_dataset(batch->job);
    const Scalers *scalers = batch->scalers;
    int64_t width = dataset->input_width, outputs = target_width(batch->job);
    batch->numbers = rows;
    batch->inputs.shape.dim[0] = count;
    for (int64_t i = 0; i < count; i++)
        scaler_apply(&scalers->input, dataset->inputs + rows[i] * width,
                     batch->inputs.data + i * width, 1, width);
    if (batch->classes != NULL)
        for (int64_t i = 0; i < count; i++)
            batch->classes[i] = dataset->classes[rows[i]];
    else if (dataset->classes != NULL)
        for (int64_t i = 0; i < count; i++)
            batch->values[i] = (Real)dataset->classes[rows[i]];
    else
        for (int64_t i = 0; i < count; i++)
            scaler_apply(&scalers->target, dataset->values + rows[i] * outputs,
                         batch->values + i * outputs, 1, outputs);
}

LossCall batch_loss(const Batch *batch, const Real *outputs, Real *gradients) {
    return (LossCall){.params = job_training(batch->job)->loss.params,
                      .rows = batch->inputs.shape.dim[0],
                      .width = target_width(batch->job),
                      .outputs = outputs,
                      .classes = batch->classes,
                      .values = batch->values,
                      .class_weights = job_class_weights(batch->job),
                      .gradients = gradients};
}

double batch_weight(const Batch *batch) {
    int64_t rows = batch->inputs.shape.dim[0];
    const Real *weights = job_class_weights(batch->job);
    if (weights == NULL)
        return (double)rows;
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += (double)weights[batch->classes[i]];
    return sum;
}

int64_t batch_correct(const Batch *batch, const Real *outputs) {
    int64_t rows = batch->inputs.shape.dim[0], width = target_width(batch->job), correct = 0;
    if (batch->classes != NULL) {
        for (int64_t i = 0; i < rows; i++, outputs += width) {
            int64_t best = 0;
            for (int64_t c = 1; c < width; c++)
                best = outputs[c] > outputs[best] ? c : best;
            correct += best == batch->classes[i];
        }
    } else if (job_binary(batch->job)) {
        for (int64_t i = 0; i < rows; i++)
            correct += (outputs[i] > 0) == (batch->values[i] > (Real)0.5);
    }
    return correct;
}

void order_epoch(const Job *job, int64_t epoch, int32_t *order) {
    const JobRows *rows = job_rows(job);
    memcpy(order, rows->train, (size_t)rows->train_count * sizeof(*order));
    Rng rng = rng_make((uint64_t)job_training(job)->seed, RNG_ORDER, (uint64_t)epoch, 0);
    rng_shuffle(&rng, order, (size_t)rows->train_count);
}

int64_t evaluation_rows(const Job *job) {
    const JobRows *rows = job_rows(job);
    int64_t most =
        rows->validation_count > rows->test_count ? rows->validation_count : rows->test_count;
    int64_t bound = job_batch_rows(job) > EVALUATION_ROWS ? job_batch_rows(job) : EVALUATION_ROWS;
    return most < bound ? most : bound;
}
