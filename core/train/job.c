// Reads a job: the training keys with their defaults, the model, and whether the two fit each other
// and the dataset. Everything is checked before anything is refused, so that one answer names every
// mistake.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"

enum { DEFAULT_EPOCHS = 10 };

// ---- reading ----

static int read_early_stopping(Job *job, const Path *path, Issues *issues) {
    Value value = job->training.early_stopping;
    path = PATH_KEY(path, "early_stopping");
    if (value_kind(value) == VALUE_MISSING ||
        (value_kind(value) == VALUE_BOOLEAN && !value_boolean(value)))
        return OK;
    const void *params;
    int error = params_read(&early_stopping_desc, value, path, NULL, &job->arena, issues, &params);
    if (error == OK)
        job->training.stop = params;
    return error;
}

static bool is_given(Value training, const char *key) {
    ValueKind kind = value_kind(value_member(training, key));
    return kind != VALUE_MISSING && kind != VALUE_NULL;
}

// What is otherwise than for rows (docs/decisions, graphs): one graph runs whole in any case, so a step
// takes all its training nodes; and the features of nodes whose classes are told stay as they are.
static void default_for_graphs(Job *job, Value training) {
    TrainingParams *params = &job->training;
    if (job->task.rows == ROWS_NODES && !is_given(training, "batch_size"))
        params->batch_size = 0;
    if (task_graph_rows(&job->task) == GRAPH_NODES && !is_given(training, "standardize"))
        params->standardize = job->task.kind == TASK_REGRESSION;
}

static int read_training(Job *job, Value value, const Path *path, Issues *issues) {
    int result = OK;
    const void *params;
    int error = params_read(&training_desc, value, path, NULL, &job->arena, issues, &params);
    if (error != OK)
        return error;
    TrainingParams *training = &job->training;
    *training = *(const TrainingParams *)params;
    default_for_graphs(job, value);
    error = read_early_stopping(job, path, issues);
    if (error == OK)
        error = job_read_phases(job, path, issues);
    if (error != OK)
        return error;
    if (training->epochs > 0 && training->steps > 0) {
        issues_add(issues, PATH_KEY(path, "steps"),
                   "must not stand beside \"epochs\": a job takes one of them");
        result = ERR_INVALID;
    }
    if (training->sequence_length > 0 && job->task.kind != TASK_LANGUAGE_MODEL) {
        issues_add(issues, PATH_KEY(path, "sequence_length"),
                   "is for language models, which learn from a corpus; leave it out");
        result = ERR_INVALID;
    }
    if (training->epochs == 0 && training->steps == 0)
        training->epochs = DEFAULT_EPOCHS;
    if (training->loss.desc == NULL) {
        const char *fitting = job->task.kind == TASK_REGRESSION ? "mse" : "cross_entropy";
        error = selection_read(&loss_registry, fitting, VALUE_NONE, PATH_KEY(path, "loss"),
                               &job->arena, issues, &training->loss);
    }
    return error == OK ? result : error;
}

// ---- fitting the loss, the model and the dataset ----

Value job_spec(const Job *job) {
    return job->spec;
}

const LossDesc *job_loss(const Job *job) {
    return (const LossDesc *)job->training.loss.desc;
}

// A series' targets are none: what the net learns of them is transformed.
static bool values_are_fractions(const Dataset *dataset) {
    for (int64_t i = 0; dataset->values != NULL && i < dataset->rows * dataset->task.outputs; i++)
        if (dataset->values[i] < 0 || dataset->values[i] > 1)
            return false;
    return dataset->values != NULL;
}

static bool loss_is_binary(const Job *job) {
    return strcmp(job_loss(job)->desc.name, "binary_cross_entropy") == 0;
}

static void check_loss(Job *job, const Path *path, Issues *issues) {
    const LossDesc *loss = job_loss(job);
    const Task *task = &job->task;
    bool binary_loss = loss_is_binary(job);
    path = PATH_KEY(path, "loss");
    if (task->kind == TASK_LANGUAGE_MODEL && loss->targets != TARGETS_CLASSES)
        issues_add(
            issues, path,
            "\"%s\" does not fit a language model, whose targets are tokens; cross_entropy does",
            loss->desc.name);
    else if (task->kind == TASK_CLASSIFICATION && loss->targets == TARGETS_VALUES && !binary_loss)
        issues_add(issues, path,
                   "\"%s\" is for numbers, and the dataset's targets are classes; cross_entropy "
                   "fits them",
                   loss->desc.name);
    else if (task->kind == TASK_CLASSIFICATION && binary_loss && task->outputs != 2)
        issues_add(issues, path,
                   "binary_cross_entropy tells two classes apart, and the dataset has %lld; "
                   "cross_entropy fits them",
                   (long long)task->outputs);
    else if (task->kind == TASK_REGRESSION && loss->targets == TARGETS_CLASSES)
        issues_add(issues, path,
                   "\"%s\" is for classes, and the dataset's targets are numbers; mse fits them",
                   loss->desc.name);
    else if (task->kind == TASK_REGRESSION && binary_loss && !values_are_fractions(job->dataset))
        issues_add(issues, path,
                   "binary_cross_entropy needs targets from 0 to 1, and the dataset has others; "
                   "mse fits them");
    job->binary = task->kind == TASK_CLASSIFICATION && binary_loss;
}

// The last layer of the list, which makes the output, as the user wrote it.
static const ModelLayer *last_layer(const Model *model, size_t *ret_index) {
    const ModelLayer *last = NULL;
    size_t count = 0;
    for (int i = 0; i < model_layers(model); i++)
        if (model_layer(model, i)->parent < 0) {
            last = model_layer(model, i);
            count++;
        }
    *ret_index = count - 1;
    return last;
}

static bool takes_units(const ModelLayer *layer) {
    for (size_t i = 0; i < layer->desc->desc.param_count; i++)
        if (strcmp(layer->desc->desc.params[i].name, "units") == 0)
            return true;
    return false;
}

// Why the output has to be as wide as it has.
static void say_reason(const Job *job, int64_t wanted, char *reason, size_t size) {
    if (job->binary)
        snprintf(reason, size, "one output tells the two classes apart");
    else if (job->task.kind == TASK_LANGUAGE_MODEL)
        snprintf(reason, size, "the vocabulary has %lld tokens", (long long)wanted);
    else if (job->task.kind == TASK_CLASSIFICATION)
        snprintf(reason, size, "the dataset has %lld classes", (long long)wanted);
    else if (wanted == 1)
        snprintf(reason, size, "the dataset's targets are one number a row");
    else
        snprintf(reason, size, "the dataset's targets are %lld numbers a row", (long long)wanted);
}

// What makes an output of the shape that is wanted out of one that is not.
static const char *way_there(const Task *task, bool per_node) {
    if (task->steps > 0)
        return "the last layer must give as many numbers at each step (return_sequences)";
    if (task->rows == ROWS_GRAPHS && per_node)
        return "a global_avg_pool, behind the graph layers, leads from nodes to graphs";
    if (task->rows == ROWS_SEQUENCES)
        return "a recurrent layer without return_sequences, a global_avg_pool or a flatten layer, "
               "and a "
               "dense one behind it, lead there";
    return "a flatten layer and a dense one behind it lead there";
}

static void check_width(const Job *job, Issues *issues) {
    const Shape *shape = model_output_shape(job->model);
    const Task *task = &job->task;
    int64_t width = job->binary ? 1 : task->outputs;
    bool per_node = graph_node(model_graph(job->model), model_output(job->model))->per_node;
    bool wants_nodes = task->rows == ROWS_NODES;
    Shape wanted = task->steps > 0 ? SHAPE(task->steps, width) : SHAPE(width);
    if (shape_equal(shape, &wanted) && per_node == wants_nodes)
        return;
    size_t index;
    const ModelLayer *last = last_layer(job->model, &index);
    const Path *layer = PATH_INDEX(PATH_KEY(PATH_KEY(NULL, "model"), "layers"), index);
    char reason[128], text[SHAPE_TEXT], wanted_text[SHAPE_TEXT];
    say_reason(job, width, reason, sizeof(reason));
    Shape widened = *shape;
    if (widened.rank > 0)
        widened.dim[widened.rank - 1] = width;
    if (wants_nodes && !per_node)
        issues_add(
            issues, layer,
            "the model's output must have a row for each node, as the targets do: leave out the "
            "layers that pool them");
    else if (shape_equal(&widened, &wanted) && per_node == wants_nodes)
        issues_add(issues, takes_units(last) ? PATH_KEY(layer, "units") : layer,
                   "must be %lld, not %lld: %s under %s", (long long)width,
                   (long long)shape_last(shape), reason, job_loss(job)->desc.name);
    else
        issues_add(issues, layer, "the model's output must have the shape %s, not %s%s: %s; %s",
                   shape_text(&wanted, wanted_text), per_node ? "a row for each node of " : "",
                   shape_text(shape, text), reason, way_there(task, per_node));
}

static void check_stop_metric(const Job *job, const Path *path, Issues *issues) {
    const EarlyStoppingParams *stop = job->training.stop;
    if (stop == NULL)
        return;
    path = PATH_KEY(PATH_KEY(path, "early_stopping"), "metric");
    bool classes = job->task.kind != TASK_REGRESSION;
    const char *what = strchr(stop->metric, '_') + 1;
    bool of_numbers =
        strcmp(what, "mae") == 0 || strcmp(what, "rmse") == 0 || strcmp(what, "r2") == 0;
    if (strcmp(what, "accuracy") == 0 && !classes)
        issues_add(issues, path,
                   "\"%s\" is for classes; val_loss, val_mae, val_rmse and val_r2 fit numbers",
                   stop->metric);
    if (of_numbers && classes)
        issues_add(issues, path, "\"%s\" is for numbers; val_loss and val_accuracy fit classes",
                   stop->metric);
    if (strcmp(what, "perplexity") == 0 && job->task.kind != TASK_LANGUAGE_MODEL)
        issues_add(issues, path, "\"%s\" is for language models; val_loss fits every task",
                   stop->metric);
    if (strncmp(stop->metric, "val_", 4) == 0 && job->rows.validation_count == 0)
        issues_add(issues, path, "\"%s\" needs validation rows, and there are none", stop->metric);
}

static void check_model(const Job *job, const Path *path, Issues *issues) {
    path = PATH_KEY(path, "layers");
    if (job->task.vocabulary > 0)
        model_check_tokens(job->model, path, issues);
    for (int i = 0; i < model_layers(job->model); i++)
        if (model_layer(job->model, i)->parameters > 0 && !graph_frozen(model_graph(job->model), i))
            return;
    issues_add(issues, path, "none of the layers has weights to learn");
}

// ---- the job ----

// A range test looks at training batches and nothing else.
static void train_alone(Job *job) {
    job->training.stop = NULL;
    job->training.stop_on_divergence = true;
    job->rows.validation_count = job->rows.test_count = 0;
}

static int read_job(Job *job, Value spec, Issues *issues) {
    const Path *model_path = PATH_KEY(NULL, "model"), *path = PATH_KEY(NULL, "training");
    size_t before = issues->count + issues->omitted;
    int read = read_training(job, value_member(spec, "training"), path, issues);
    if (read == OK)
        read = job_read_lr_range(job, spec, issues);
    if (read == OK && job->dataset->form->adapt != NULL)
        read = job->dataset->form->adapt(job, path, issues);
    int built =
        model_create(value_member(spec, "model"), model_path, &job->task, issues, &job->model);
    if (read != OK && read != ERR_INVALID)
        return read;
    if (built != OK && built != ERR_INVALID)
        return built;
    if (built == OK)
        check_model(job, model_path, issues);
    if (read == OK) {
        check_loss(job, path, issues);
        int error = job_split(job, path, issues);
        if (error != OK && error != ERR_INVALID)
            return error;
        if (job->lr_range != NULL)
            train_alone(job);
        check_stop_metric(job, path, issues);
        if (built == OK) {
            check_width(job, issues);
            error = job_fit_augment(job, path, issues);
            if (error != OK && error != ERR_INVALID)
                return error;
        }
    }
    if (issues->failed)
        return ERR_NO_MEMORY;
    return issues->count + issues->omitted > before ? ERR_INVALID : OK;
}

int job_create(Value spec, const Dataset *dataset, int threads, Issues *issues, Job **ret_job) {
    Job *job = memory_new(Job);
    if (job == NULL)
        return ERR_NO_MEMORY;
    arena_init(&job->arena, 0);
    job->spec = spec;
    job->dataset = dataset;
    job->task = dataset->task;
    job->threads = threads < 1 ? 1 : threads;
    int error = read_job(job, spec, issues);
    if (error != OK) {
        job_destroy(job);
        return error;
    }
    *ret_job = job;
    return OK;
}

int job_check_words(Value spec, Issues *issues) {
    Job *job = memory_new(Job);
    if (job == NULL)
        return ERR_NO_MEMORY;
    arena_init(&job->arena, 0);
    job->task.kind = TASK_LANGUAGE_MODEL; // which has every key
    int error =
        read_training(job, value_member(spec, "training"), PATH_KEY(NULL, "training"), issues);
    if (error == OK || error == ERR_INVALID)
        error = model_check_words(value_member(spec, "model"), PATH_KEY(NULL, "model"), issues);
    job_destroy(job);
    return error;
}

// The model has trained once: what is wrong with its spec now is damage.
static int read_judge(Job *job, Value spec) {
    CLEANUP(issues_finish) Issues issues;
    issues_init(&issues);
    int error = read_training(job, value_member(spec, "training"), NULL, &issues);
    if (error == OK)
        error = model_create(value_member(spec, "model"), NULL, &job->task, &issues, &job->model);
    if (error == OK) {
        job->binary = job->task.kind == TASK_CLASSIFICATION && loss_is_binary(job);
        check_width(job, &issues);
    }
    if (error == OK && issues_any(&issues))
        error = issues.failed ? ERR_NO_MEMORY : ERR_DAMAGED;
    return error == ERR_INVALID ? ERR_DAMAGED : error;
}

int job_create_judge(Value spec, const Dataset *dataset, const Task *task, int split,
                     Issues *issues, Job **ret_job) {
    Job *job = memory_new(Job);
    if (job == NULL)
        return ERR_NO_MEMORY;
    arena_init(&job->arena, 0);
    job->dataset = dataset;
    job->task = *task;
    job->threads = 1;
    int error = read_judge(job, spec);
    if (error == OK) {
        if (task->kind == TASK_REGRESSION && loss_is_binary(job) && !values_are_fractions(dataset))
            issues_add_at(issues, "/dataset",
                          "has targets that are not from 0 to 1, as the model's loss takes them");
        error = job_judge(job, split);
    }
    if (error == OK && job->rows.test_count == 0)
        issues_add_at(issues, split < 0 ? "/dataset" : "/split", "leaves no rows to evaluate");
    if (error == OK && issues_any(issues))
        error = issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    if (error != OK) {
        job_destroy(job);
        return error;
    }
    *ret_job = job;
    return OK;
}

void job_destroy(Job *job) {
    if (job == NULL)
        return;
    model_destroy(job->model);
    archive_close(job->initial);
    memory_free(job->row_numbers);
    memory_free(job->class_weights);
    arena_finish(&job->arena);
    memory_free(job);
}

const Model *job_model(const Job *job) {
    return job->model;
}

const TrainingParams *job_training(const Job *job) {
    return &job->training;
}

const Dataset *job_dataset(const Job *job) {
    return job->dataset;
}

const Task *job_task(const Job *job) {
    return &job->task;
}

int job_threads(const Job *job) {
    return job->threads;
}

int64_t job_record_every(const Job *job) {
    return job->record_every;
}

const JobRows *job_rows(const Job *job) {
    return &job->rows;
}

const Real *job_class_weights(const Job *job) {
    return job->class_weights;
}

bool job_binary(const Job *job) {
    return job->binary;
}

bool job_fractions(const Job *job) {
    return job->task.kind == TASK_REGRESSION && loss_is_binary(job);
}

// ---- the spec again ----

// Keys that would be refused, or mean nothing, beside what is written.
static bool is_unused(const Job *job, const char *key) {
    const TrainingParams *training = &job->training;
    return (strcmp(key, "epochs") == 0 && (training->epochs == 0 || job->given_count > 0)) ||
           (strcmp(key, "steps") == 0 && training->steps == 0) ||
           (strcmp(key, "sequence_length") == 0 && training->sequence_length == 0);
}

void job_write_spec(const Job *job, const ValueWriter *out) {
    TrainingParams training = job->training;
    training.record_every = job->record_every;
    job_write_lr_range(job, out);
    model_write(job->model, "model", out);
    write_begin_object(out, "training");
    for (size_t i = 0; i < training_desc.param_count; i++) {
        const char *key = training_desc.params[i].name;
        if (strcmp(key, "early_stopping") == 0) {
            if (training.stop == NULL) {
                write_null(out, key);
                continue;
            }
            write_begin_object(out, key);
            params_write(&early_stopping_desc, training.stop, out);
            write_end_object(out);
        } else if (strcmp(key, "phases") == 0) {
            job_write_phases(job, key, out);
        } else if (!is_unused(job, key)) {
            Desc one = training_desc;
            one.params = &training_desc.params[i];
            one.param_count = 1;
            params_write(&one, &training, out);
        }
    }
    write_end_object(out);
}
