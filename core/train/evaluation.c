// Evaluation: a job whose rows are all for testing, with the weights and the scaling of a model.
#include "core/train/evaluation.h"
#include <string.h>
#include "core/base/error.h"
#include "core/train/align.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"
#include "core/train/metrics.h"

struct Evaluation {
    Job *job;
    Scalers scalers;
    Evaluator evaluator;
    Real *weights; // [graph_weight_elements]
    Confusion confusion;
};

static int load_scalers(Evaluation *evaluation, const Archive *model) {
    const Task *task = job_task(evaluation->job);
    int error = scaler_load(model, "input", &evaluation->scalers.input);
    if (error == OK && task->kind == TASK_REGRESSION)
        error = scaler_load(model, "target", &evaluation->scalers.target);
    if (error != OK)
        return error;
    if (shape_elements(&task->input) % evaluation->scalers.input.width != 0 ||
        (task->kind == TASK_REGRESSION && task->outputs % evaluation->scalers.target.width != 0))
        return ERR_DAMAGED;
    return OK;
}

static int load_class_weights(Job *job, const Archive *model) {
    const ArchiveSection *section = archive_typed(model, "class_weights", ARCHIVE_F32);
    if (section == NULL)
        return OK;
    if (section->rank != 1 || section->dims[0] != job->task.outputs)
        return ERR_DAMAGED;
    job->class_weights = memory_array((size_t)job->task.outputs, sizeof(Real));
    if (job->class_weights == NULL)
        return ERR_NO_MEMORY;
    const float *weights = section->data;
    for (int64_t c = 0; c < job->task.outputs; c++)
        job->class_weights[c] = (Real)weights[c];
    return OK;
}

static int load_model(Evaluation *evaluation, const Archive *model) {
    const Model *net = job_model(evaluation->job);
    evaluation->weights = memory_array(graph_weight_elements(model_graph(net)), sizeof(Real));
    if (evaluation->weights == NULL)
        return ERR_NO_MEMORY;
    int error = model_load_weights(net, model, evaluation->weights);
    if (error == OK)
        error = load_scalers(evaluation, model);
    if (error == OK)
        error = load_class_weights(evaluation->job, model);
    return error;
}

static int prepare(Evaluation *evaluation, Value spec, const Archive *model, Dataset *dataset,
                   const EvaluationOptions *options, Issues *issues) {
    Task task;
    int error = task_load(model, &task);
    if (error == OK)
        error = dataset_align(dataset, model, &task, options->places, issues);
    if (error == OK)
        error = job_create_judge(spec, dataset, &task, options->split, issues, &evaluation->job);
    if (error == OK)
        error = load_model(evaluation, model);
    if (error == OK)
        error = evaluator_init(&evaluation->evaluator, evaluation->job, &evaluation->scalers);
    if (error != OK || task.kind != TASK_CLASSIFICATION || task.outputs > CONFUSION_CLASSES_MAX)
        return error;
    error = confusion_init(&evaluation->confusion, model, task.outputs);
    evaluation->evaluator.confusion = &evaluation->confusion;
    return error;
}

int evaluation_create(Value spec, const Archive *model, Dataset *dataset,
                      const EvaluationOptions *options, Issues *issues,
                      Evaluation **ret_evaluation) {
    Evaluation *evaluation = memory_new(Evaluation);
    if (evaluation == NULL)
        return ERR_NO_MEMORY;
    int error = prepare(evaluation, spec, model, dataset, options, issues);
    if (error != OK) {
        evaluation_destroy(evaluation);
        return error;
    }
    *ret_evaluation = evaluation;
    return OK;
}

void evaluation_destroy(Evaluation *evaluation) {
    if (evaluation == NULL)
        return;
    evaluator_finish(&evaluation->evaluator);
    scalers_finish(&evaluation->scalers);
    confusion_finish(&evaluation->confusion);
    memory_free(evaluation->weights);
    job_destroy(evaluation->job);
    memory_free(evaluation);
}

const Task *evaluation_task(const Evaluation *evaluation) {
    return job_task(evaluation->job);
}

void evaluation_run(Evaluation *evaluation, Metrics *ret_metrics, const Confusion **ret_confusion) {
    const JobRows *rows = job_rows(evaluation->job);
    *ret_metrics = evaluator_run(&evaluation->evaluator, evaluation->weights, rows->test,
                                 rows->test_count, NULL);
    *ret_confusion = evaluation->confusion.classes > 0 ? &evaluation->confusion : NULL;
}
