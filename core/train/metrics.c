// Evaluation by batches. Losses are in the units in which the net learns (scaled targets), and
// means over batches weigh each as the loss itself weighs its rows; mae and rmse are in the target's
// own unit; they and r2 are means over the outputs.
//
// rmse = √(Σ(y − ŷ)² / rows) per output. r2 = 1 − Σ(y − ŷ)² / Σ(y − ȳ)² per output; 1 or 0 for a target that never changes, by whether it
// is met.
#include "core/train/metrics.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/forms/form.h"

// Rows of `sums`: each has one number per output. Values are counted from the first one, so that squares of a large mean do
// not hide the variance.
enum {
    SUM_ABSOLUTE,
    SUM_ERROR_SQUARES,
    SUM_VALUES,
    SUM_VALUE_SQUARES,
    FIRST,
    PREDICTED,
    TRUE,
    SUMS
};

int evaluator_init(Evaluator *evaluator, const Job *job, const Scalers *scalers) {
    *evaluator = (Evaluator){.job = job, .scalers = scalers};
    int64_t rows = evaluation_rows(job);
    int error = batch_init(&evaluator->batch, job, scalers, rows);
    if (error != OK)
        return error;
    PlanOptions options = job_plan_options(job, rows, false);
    error = plan_create(model_graph(job_model(job)), &options, &evaluator->plan);
    if (error == OK && job_task(job)->kind == TASK_REGRESSION) {
        evaluator->sums =
            memory_array((size_t)job_dataset(job)->task.outputs * SUMS, sizeof(double));
        if (evaluator->sums == NULL)
            error = ERR_NO_MEMORY;
    }
    if (error != OK)
        evaluator_finish(evaluator);
    return error;
}

void evaluator_finish(Evaluator *evaluator) {
    batch_finish(&evaluator->batch);
    plan_destroy(evaluator->plan);
    memory_free(evaluator->sums);
    *evaluator = (Evaluator){0};
}

// The first row of all, at `count` 0, is what values are counted from.
static void add_errors(Evaluator *evaluator, const Real *outputs, int64_t count) {
    const Dataset *dataset = job_dataset(evaluator->job);
    const Scaler *scaler = &evaluator->scalers->target;
    int64_t width = dataset->task.outputs;
    bool fractions = job_fractions(evaluator->job);
    double *sums = evaluator->sums, *first = sums + FIRST * width;
    double *predicted = sums + PREDICTED * width, *values = sums + TRUE * width;
    for (int64_t i = 0; i < evaluator->batch.rows; i++, outputs += width) {
        int32_t row = evaluator->batch.numbers[i];
        row_target(dataset, row, values);
        for (int64_t c = 0; c < width; c++) {
            int64_t k = c % scaler->width;
            predicted[c] = (double)outputs[c] / scaler->factor[k] + scaler->offset[k];
            if (fractions)
                predicted[c] = 1 / (1 + exp(-predicted[c]));
        }
        if (dataset->form->undo != NULL)
            dataset->form->undo(dataset, row, predicted);
        if (count == 0 && i == 0)
            memcpy(first, values, (size_t)width * sizeof(*first));
        for (int64_t c = 0; c < width; c++) {
            double error = predicted[c] - values[c], value = values[c] - first[c];
            sums[SUM_ABSOLUTE * width + c] += fabs(error);
            sums[SUM_ERROR_SQUARES * width + c] += error * error;
            sums[SUM_VALUES * width + c] += value;
            sums[SUM_VALUE_SQUARES * width + c] += value * value;
        }
    }
}

static void finish_errors(const Evaluator *evaluator, int64_t count, Metrics *metrics) {
    int64_t width = job_dataset(evaluator->job)->task.outputs;
    const double *sums = evaluator->sums;
    double absolute = 0, root = 0, explained = 0;
    for (int64_t c = 0; c < width; c++) {
        double values = sums[SUM_VALUES * width + c];
        double error = sums[SUM_ERROR_SQUARES * width + c];
        double variation = sums[SUM_VALUE_SQUARES * width + c] - values * values / (double)count;
        absolute += sums[SUM_ABSOLUTE * width + c] / (double)count;
        root += sqrt(error / (double)count);
        if (variation > 1e-12 * sums[SUM_VALUE_SQUARES * width + c])
            explained += 1 - error / variation;
        else
            explained += error == 0;
    }
    metrics->mae = absolute / (double)width;
    metrics->rmse = root / (double)width;
    metrics->r2 = explained / (double)width;
}

// A target's predicted class and how sure of it the outputs are: softmax, or a sigmoid where one output tells two classes.
static void see_class(const Real *outputs, int64_t width, Mistake *row) {
    if (width == 1) {
        row->predicted = outputs[0] > 0;
        row->probability = 1 / (1 + exp(-fabs((double)outputs[0])));
        return;
    }
    int64_t best = 0;
    for (int64_t c = 1; c < width; c++)
        best = outputs[c] > outputs[best] ? c : best;
    double sum = 0;
    for (int64_t c = 0; c < width; c++)
        sum += exp((double)(outputs[c] - outputs[best]));
    row->predicted = (int32_t)best;
    row->probability = 1 / sum;
}

static void count_classes(const Evaluator *evaluator, const Real *outputs) {
    const Batch *batch = &evaluator->batch;
    int64_t width = batch_width(batch);
    for (int64_t i = 0; i < batch->targets; i++, outputs += width) {
        Mistake row = {.row = batch->numbers[i]};
        row.true_class =
            batch->classes != NULL ? batch->classes[i] : (int32_t)(batch->values[i] > (Real)0.5);
        if (row.true_class < 0)
            continue;
        see_class(outputs, width, &row);
        confusion_add(evaluator->confusion, &row);
    }
}

Metrics evaluator_run(Evaluator *evaluator, Real *weights, const int32_t *rows, int64_t count,
                      Parallel *parallel) {
    Metrics metrics = METRICS_NONE;
    if (count == 0)
        return metrics;
    OpContext context = {.training = false, .parallel = parallel};
    Batch *batch = &evaluator->batch;
    batch->parallel = parallel;
    double loss_sum = 0, weight_sum = 0;
    int64_t correct = 0, counted = 0;
    if (evaluator->sums != NULL)
        memset(evaluator->sums, 0,
               (size_t)job_dataset(evaluator->job)->task.outputs * SUMS * sizeof(double));
    for (int64_t begin = 0; begin < count; begin += batch->max_rows) {
        int64_t n = count - begin < batch->max_rows ? count - begin : batch->max_rows;
        batch_gather(batch, rows + begin, n);
        batch_context(batch, &context);
        Tensor output;
        plan_forward(evaluator->plan, &context, NULL, &batch->inputs, weights, &output);
        const Real *picked = batch_pick(batch, output.data);
        double weight = batch_weight(batch);
        loss_sum += batch_loss(batch, picked, NULL) * weight;
        weight_sum += weight;
        correct += batch_correct(batch, picked);
        counted += batch_counted(batch);
        if (evaluator->sums != NULL)
            add_errors(evaluator, picked, begin);
        if (evaluator->confusion != NULL)
            count_classes(evaluator, picked);
    }
    metrics.loss = loss_sum / weight_sum;
    if (evaluator->sums != NULL)
        finish_errors(evaluator, count, &metrics);
    else
        metrics.accuracy = (double)correct / (double)counted;
    return metrics;
}

double metrics_perplexity(const Task *task, const Metrics *metrics) {
    return task->kind == TASK_LANGUAGE_MODEL ? exp(metrics->loss) : NAN;
}
