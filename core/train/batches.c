// Gathering: each row is scaled on its way from the mapped dataset into the batch, so data is
// touched once.
#include "core/train/batches.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/forms/form.h"

enum { EVALUATION_ROWS = 256 };

// ---- scaling ----

int scalers_fit(const Job *job, Scalers *ret_scalers) {
    const Dataset *dataset = job_dataset(job);
    const JobRows *rows = job_rows(job);
    Scalers scalers = {0};
    int error = dataset->form->fit_inputs != NULL ? dataset->form->fit_inputs(job, &scalers.input)
                                                  : scaler_identity(1, &scalers.input);
    if (error == OK && dataset->task.kind == TASK_REGRESSION) {
        if (!job_training(job)->standardize || job_fractions(job))
            error = scaler_identity(1, &scalers.target);
        else if (dataset->form->fit_targets != NULL)
            error = dataset->form->fit_targets(job, &scalers.input, &scalers.target);
        else
            error = scaler_fit(SCALER_STANDARD, dataset->values, dataset->task.outputs, rows->train,
                               rows->train_count, &scalers.target);
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
    return job_binary(job) ? 1 : job_task(job)->outputs;
}

int64_t batch_width(const Batch *batch) {
    return target_width(batch->job);
}

PlanOptions job_plan_options(const Job *job, int64_t rows, bool backward) {
    PlanOptions options = {
        .max_rows = rows, .backward = backward, .output = model_output(job_model(job))};
    const FormDesc *form = job_dataset(job)->form;
    if (form->extent != NULL)
        form->extent(job, rows, &options);
    return options;
}

// Elements that a batch has room for; false where they are too many to count.
static bool count_elements(const Job *job, int64_t max_rows, const PlanOptions *options,
                           size_t *ret_inputs, size_t *ret_targets, size_t *ret_values) {
    const Task *task = job_task(job);
    bool graphs = task_graph_rows(task) == GRAPH_NODES;
    int64_t input_rows = graphs ? options->max_nodes : options->max_rows;
    int64_t row_targets = task->steps > 0 ? task->steps : 1;
    *ret_inputs = (size_t)options->max_entries;
    return (*ret_inputs > 0 ||
            size_multiply((size_t)input_rows, (size_t)shape_elements(&task->input), ret_inputs)) &&
           size_multiply((size_t)max_rows, (size_t)row_targets, ret_targets) &&
           size_multiply(*ret_targets, (size_t)target_width(job), ret_values);
}

size_t batch_bytes(const Job *job, int64_t max_rows) {
    PlanOptions options = job_plan_options(job, max_rows, false);
    size_t inputs, targets, values;
    if (!count_elements(job, max_rows, &options, &inputs, &targets, &values) ||
        inputs > SIZE_MAX / 64 || values > SIZE_MAX / 64)
        return SIZE_MAX;
    bool nodes = job_task(job)->rows == ROWS_NODES;
    size_t columns = (size_t)shape_last(&job_task(job)->input);
    // Of an adjacency five numbers an edge and two a node, of a pattern three an entry.
    size_t indices = 5 * (size_t)options.max_edges + 2 * (size_t)options.max_nodes;
    if (options.max_entries > 0)
        indices += 3 * (size_t)options.max_entries + (size_t)options.max_nodes + columns;
    return (inputs + (nodes ? 3 : 1) * values) * sizeof(Real) + indices * sizeof(int32_t);
}

static int allocate(Batch *batch, const PlanOptions *options) {
    const Task *task = job_task(batch->job);
    bool graphs = task_graph_rows(task) == GRAPH_NODES, nodes = task->rows == ROWS_NODES;
    size_t inputs, targets, values;
    if (!count_elements(batch->job, batch->max_rows, options, &inputs, &targets, &values))
        return ERR_TOO_LARGE;
    if (graphs) {
        int error = adjacency_init(&batch->graphs, options->max_nodes, options->max_rows,
                                   options->max_edges);
        if (error != OK)
            return error;
    }
    batch->inputs.data = memory_array(inputs, sizeof(Real));
    bool classes = job_loss(batch->job)->targets == TARGETS_CLASSES;
    if (classes)
        batch->classes = memory_array(targets, sizeof(int32_t));
    else
        batch->values = memory_array(values, sizeof(Real));
    if (nodes)
        batch->picked = memory_array(2 * values, sizeof(Real));
    if (task->rows == ROWS_SEQUENCES)
        batch->lengths = memory_array((size_t)batch->max_rows, sizeof(int32_t));
    int64_t width = shape_elements(&task->input);
    width = width > batch_width(batch) ? width : batch_width(batch);
    batch->scratch = memory_array((size_t)width, sizeof(float));
    if (batch->inputs.data == NULL || batch->scratch == NULL ||
        (classes ? batch->classes == NULL : batch->values == NULL) ||
        (nodes && batch->picked == NULL) ||
        (task->rows == ROWS_SEQUENCES && batch->lengths == NULL))
        return ERR_NO_MEMORY;
    return OK;
}

int batch_init(Batch *batch, const Job *job, const Scalers *scalers, int64_t max_rows) {
    *batch = (Batch){.job = job, .scalers = scalers, .max_rows = max_rows};
    const Shape *shape = model_input_shape(job_model(job));
    batch->inputs.shape.rank = shape->rank + 1;
    memcpy(batch->inputs.shape.dim + 1, shape->dim, (size_t)shape->rank * sizeof(*shape->dim));
    PlanOptions options = job_plan_options(job, max_rows, false);
    int error = allocate(batch, &options);
    if (error == OK && job_dataset(job)->form->prepare != NULL)
        error = job_dataset(job)->form->prepare(batch);
    if (error != OK)
        batch_finish(batch);
    return error;
}

void batch_finish(Batch *batch) {
    memory_free(batch->inputs.data);
    memory_free(batch->lengths);
    adjacency_finish(&batch->graphs);
    pattern_destroy(batch->pattern);
    memory_free(batch->picked);
    memory_free(batch->classes);
    memory_free(batch->values);
    memory_free(batch->scratch);
    *batch = (Batch){0};
}

// Tokens that are numbered otherwise than the model's (align.h).
static void renumber_tokens(Batch *batch, const int32_t *ids) {
    const Task *task = job_task(batch->job);
    int64_t count = batch->rows * shape_elements(&task->input);
    for (int64_t i = 0; i < count; i++)
        batch->inputs.data[i] = (Real)ids[(int32_t)batch->inputs.data[i]];
    for (int64_t i = 0; task->kind == TASK_LANGUAGE_MODEL && i < batch->targets; i++)
        batch->classes[i] = ids[batch->classes[i]];
}

void batch_gather(Batch *batch, const int32_t *rows, int64_t count) {
    batch->numbers = rows;
    batch->rows = count;
    batch->inputs.shape.dim[0] = count;
    const Dataset *dataset = job_dataset(batch->job);
    dataset->form->gather(batch, rows, count);
    if (dataset->token_ids != NULL)
        renumber_tokens(batch, dataset->token_ids);
}

void row_target(const Dataset *dataset, int32_t row, double *values) {
    if (dataset->form->target != NULL) {
        dataset->form->target(dataset, row, values);
        return;
    }
    int64_t width = dataset->task.outputs;
    for (int64_t c = 0; c < width; c++)
        values[c] = (double)dataset->values[row * width + c];
}

void batch_context(const Batch *batch, OpContext *context) {
    context->lengths = batch->lengths;
    context->adjacency = batch->graphs.memory == NULL ? NULL : &batch->graphs.adjacency;
    context->pattern = batch->pattern;
}

const Real *batch_pick(Batch *batch, const Real *outputs) {
    if (batch->picked == NULL)
        return outputs;
    size_t width = (size_t)batch_width(batch);
    for (int64_t i = 0; i < batch->rows; i++)
        memcpy(batch->picked + (size_t)i * width, outputs + (size_t)batch->numbers[i] * width,
               width * sizeof(Real));
    return batch->picked;
}

// The gradients of the nodes listed to their places among all nodes', which are 0 elsewhere.
static void spread_gradients(const Batch *batch, const Real *picked, Real *gradients) {
    size_t width = (size_t)batch_width(batch);
    memset(gradients, 0, (size_t)batch->graphs.adjacency.nodes * width * sizeof(Real));
    for (int64_t i = 0; i < batch->rows; i++)
        memcpy(gradients + (size_t)batch->numbers[i] * width, picked + (size_t)i * width,
               width * sizeof(Real));
}

double batch_loss(Batch *batch, const Real *picked, Real *gradients) {
    bool spread = gradients != NULL && batch->picked != NULL;
    int64_t width = batch_width(batch);
    const LossCall call = {.params = job_training(batch->job)->loss.params,
                           .rows = batch->targets,
                           .width = width,
                           .outputs = picked,
                           .classes = batch->classes,
                           .values = batch->values,
                           .class_weights = job_class_weights(batch->job),
                           .gradients = spread ? batch->picked + batch->targets * width : gradients,
                           .parallel = batch->parallel};
    double loss = job_loss(batch->job)->value(&call);
    if (spread)
        spread_gradients(batch, call.gradients, gradients);
    return loss;
}

int64_t batch_counted(const Batch *batch) {
    if (batch->classes == NULL)
        return batch->targets;
    int64_t counted = 0;
    for (int64_t i = 0; i < batch->targets; i++)
        counted += batch->classes[i] >= 0;
    return counted;
}

double batch_weight(const Batch *batch) {
    const Real *weights = job_class_weights(batch->job);
    if (weights == NULL)
        return (double)batch_counted(batch);
    double sum = 0;
    for (int64_t i = 0; i < batch->targets; i++)
        if (batch->classes[i] >= 0)
            sum += (double)weights[batch->classes[i]];
    return sum;
}

int64_t batch_correct(const Batch *batch, const Real *outputs) {
    int64_t width = batch_width(batch), correct = 0;
    if (batch->classes != NULL) {
        for (int64_t i = 0; i < batch->targets; i++, outputs += width) {
            int64_t best = 0;
            for (int64_t c = 1; c < width; c++)
                best = outputs[c] > outputs[best] ? c : best;
            correct += best == batch->classes[i];
        }
    } else if (job_binary(batch->job)) {
        for (int64_t i = 0; i < batch->targets; i++)
            correct += (outputs[i] > 0) == (batch->values[i] > (Real)0.5);
    }
    return correct;
}

void order_epoch(const Job *job, int64_t epoch, int32_t *order) {
    const FormDesc *form = job_dataset(job)->form;
    if (form->order != NULL) {
        form->order(job, epoch, order);
        return;
    }
    const JobRows *rows = job_rows(job);
    memcpy(order, rows->train, (size_t)rows->train_count * sizeof(*order));
    Rng rng = rng_make((uint64_t)job_training(job)->seed, RNG_ORDER, (uint64_t)epoch, 0);
    rng_shuffle(&rng, order, (size_t)rows->train_count);
}

int64_t evaluation_rows(const Job *job) {
    return evaluation_rows_at(job, job_batch_rows(job));
}

int64_t evaluation_rows_at(const Job *job, int64_t batch_rows) {
    const JobRows *rows = job_rows(job);
    int64_t most =
        rows->validation_count > rows->test_count ? rows->validation_count : rows->test_count;
    if (job_task(job)->rows == ROWS_NODES) // each pass runs the whole graph
        return most;
    // Rows with a target at each step are many targets already.
    int64_t enough = EVALUATION_ROWS / (job_task(job)->steps > 0 ? job_task(job)->steps : 1);
    int64_t bound = batch_rows > enough ? batch_rows : enough;
    bound = bound > 0 ? bound : 1; // a job that only judges has no batches
    return most < bound ? most : bound;
}
