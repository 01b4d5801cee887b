// A model measured on a dataset. The request has a model of its own, so that predictions with the same one do not wait for it.
#include <math.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/evaluation.h"
#include "server/data/rows.h"
#include "server/routes/common.h"
#include "server/store/tables.h"

typedef struct Measuring {
    int directory;
    const char *model_id, *dataset_id;
    int split; // a DatasetSplit; −1: all rows
    Archive *model;
    char *spec_text;
    Document *spec;
    Dataset *dataset;
    int32_t *places;
    Evaluation *evaluation;
    Issues issues;
} Measuring;

static void measuring_finish(Measuring *measuring) {
    evaluation_destroy(measuring->evaluation);
    memory_free(measuring->places);
    dataset_close(measuring->dataset);
    document_destroy(measuring->spec);
    memory_free(measuring->spec_text);
    archive_close(measuring->model);
    issues_finish(&measuring->issues);
}

// ---- the body ----

static void split_read(Measuring *measuring, Value value) {
    static const struct {
        const char *name;
        DatasetSplit split;
    } splits[] = {{"train", SPLIT_TRAIN}, {"validation", SPLIT_VALIDATION}, {"test", SPLIT_TEST}};
    measuring->split = -1;
    if (value_kind(value) == VALUE_MISSING || value_kind(value) == VALUE_NULL)
        return;
    const char *name = value_string(value);
    for (size_t i = 0; name != NULL && i < ARRAY_LENGTH(splits); i++)
        if (strcmp(splits[i].name, name) == 0)
            measuring->split = (int)splits[i].split;
    if (measuring->split < 0)
        issues_add_at(
            &measuring->issues, "/split",
            "must be \"train\", \"validation\" or \"test\", rows of the dataset's splits");
}

static int body_read(Measuring *measuring, const Services *services, const Document *document) {
    static const char *const members[] = {"dataset", "split", NULL};
    Value body = document_root(document);
    DatasetRow row;
    keys_check(body, members, &measuring->issues);
    split_read(measuring, value_member(body, "split"));
    const char *id = value_string(value_member(body, "dataset"));
    measuring->dataset_id = id;
    if (id == NULL) {
        issues_add_at(&measuring->issues, "/dataset", "must be a dataset's id");
        return ERR_INVALID;
    }
    int error = id_valid("ds_", id) ? datasets_get(services->store, id, &row) : ERR_NOT_FOUND;
    if (error == ERR_NOT_FOUND)
        issues_add_at(&measuring->issues, "/dataset", "there is no dataset \"%.60s\"", id);
    else if (error != OK)
        return error;
    else
        dataset_row_finish(&row);
    return issues_any(&measuring->issues) ? ERR_INVALID : OK;
}

// ---- opening ----

static int model_open(Measuring *measuring) {
    char path[PATH_TEXT];
    model_file(measuring->model_id, path);
    int error = archive_open(measuring->directory, path, true, &measuring->model);
    if (error != OK)
        return error;
    measuring->spec_text = archive_text(measuring->model, "spec");
    if (measuring->spec_text == NULL)
        return archive_text_error(measuring->model, "spec");
    error = document_parse(measuring->spec_text, strlen(measuring->spec_text), NULL,
                           &measuring->issues, &measuring->spec);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

// Where both have names for the columns of their rows, these decide which is which.
static int places_find(Measuring *measuring) {
    Columns *model = NULL, *dataset = NULL;
    int error = columns_load(measuring->model, &model);
    if (error == OK)
        error = columns_load(measuring->dataset->archive, &dataset);
    if (error == OK && model != NULL && dataset != NULL && measuring->dataset->task.input.rank == 1)
        error = columns_match(model, dataset, "/dataset", &measuring->issues, &measuring->places);
    columns_destroy(model);
    columns_destroy(dataset);
    return error;
}

static int measuring_open(Measuring *measuring) {
    char path[PATH_TEXT];
    int error = model_open(measuring);
    if (error != OK)
        return error;
    dataset_file(measuring->dataset_id, path);
    error = dataset_open(measuring->directory, path, true, &measuring->dataset);
    if (error == OK)
        error = places_find(measuring);
    if (error != OK)
        return error;
    const EvaluationOptions options = {.places = measuring->places, .split = measuring->split};
    return evaluation_create(document_root(measuring->spec), measuring->model, measuring->dataset,
                             &options, &measuring->issues, &measuring->evaluation);
}

// ---- the answer ----

static void metric_write(JsonOut *out, const char *key, double value) {
    if (!isnan(value))
        json_number(out, key, value);
}

static void answer_measured(Request *request, const Measuring *measuring) {
    Metrics metrics;
    const Confusion *confusion;
    JsonOut out;
    evaluation_run(measuring->evaluation, &metrics, &confusion);
    json_init(&out);
    json_begin_object(&out, NULL);
    json_begin_object(&out, "metrics");
    json_number(&out, "loss", metrics.loss);
    metric_write(&out, "accuracy", metrics.accuracy);
    metric_write(&out, "mae", metrics.mae);
    metric_write(&out, "rmse", metrics.rmse);
    metric_write(&out, "r2", metrics.r2);
    metric_write(&out, "perplexity",
                 metrics_perplexity(evaluation_task(measuring->evaluation), &metrics));
    json_end_object(&out);
    if (confusion != NULL) {
        ValueWriter writer = json_writer(&out);
        confusion_write(confusion, "confusion", &writer);
    } else {
        json_null(&out, "confusion");
    }
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void evaluate_post(Request *request) {
    const Services *services = request_services(request);
    char id[ID_TEXT];
    ModelRow row;
    int error = request_model(request, id);
    if (error == OK)
        error = models_get(services->store, id, &row);
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such model." : NULL);
        return;
    }
    model_row_finish(&row);
    Document *document = body_parse(request, NULL, true);
    if (document == NULL)
        return;
    Measuring measuring = {.directory = store_directory(services->store), .model_id = id};
    issues_init(&measuring.issues);
    error = body_read(&measuring, services, document);
    if (error == OK)
        error = measuring_open(&measuring);
    if (error == OK)
        answer_measured(request, &measuring);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &measuring.issues);
    else
        answer_error(request, error, NULL);
    measuring_finish(&measuring);
    document_destroy(document);
}

static const int errors[] = {400, 404, 413, 415, 422, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/models/{id}/evaluate",
     .tag = "models",
     .summary = "Measure it on a dataset",
     .accepts = http_accepts_json,
     .request_schema = "EvaluateInput",
     .status = 200,
     .response_schema = "Evaluation",
     .errors = errors,
     .flags = ROUTE_HEAVY,
     .handler = evaluate_post},
};

const RouteGroup evaluate_routes = {"evaluate", NULL, routes, ARRAY_LENGTH(routes)};
