// The Open Inference Protocol, version 2, over HTTP: health, metadata, inference, so that clients of KServe and Triton find their
// server here. https://github.com/kserve/open-inference-protocol (inference_rest.md).
//
// Tensors become the rows that `predict` takes, as JSON, and are read as those (named_tensors.h): so columns, texts, windows and missing
// values mean the same. All numbers are one tensor, "inputs", of a row's shape behind an axis of rows; texts are one of BYTES, "texts";
// and a table with columns of texts is a tensor a column, by its name. Errors are {"error": "…"} (server/http/answer.c).
#include <string.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/health.h"
#include "server/routes/named_tensors.h"
#include "server/routes/prediction.h"
#include "server/store/tables.h"

// The columns where a row is a tensor a column: a table that has texts in it. Else NULL.
static const Columns *tensor_columns(const LoadedModel *model) {
    for (size_t i = 0; model->columns != NULL && i < model->columns->count; i++)
        if (model->columns->items[i].category)
            return model->columns;
    return NULL;
}

static const char *tensor_name(const LoadedModel *model) {
    return predictor_task(model->predictor)->rows == ROWS_SEQUENCES ? "texts" : "inputs";
}

static int read_inputs(const NamedTensors *tensors, const LoadedModel *model, ModelInputs *inputs) {
    Text rows;
    text_init(&rows);
    tensors_write_rows(tensors, tensor_name(model), tensor_columns(model), &rows);
    int error = rows.failed ? ERR_NO_MEMORY : issues_any(tensors->issues) ? ERR_INVALID : OK;
    if (error == OK)
        error = model_rows_read(model, text_string(&rows), rows.length, tensors->issues, inputs);
    text_finish(&rows);
    return error;
}

// ---- infer ----

typedef struct Output {
    const char *name, *datatype;
    int64_t width;       // numbers of a row; 0: the axis of rows alone
    const float *values; // [rows, width]; NULL: names of classes
} Output;

enum { OUTPUTS_MAX = 3 };

// What the model answers, as predict does; of an empty prediction only what there is.
static size_t list_outputs(const LoadedModel *model, const Prediction *prediction,
                           Output list[OUTPUTS_MAX]) {
    int64_t classes = predictor_classes(model->predictor);
    list[0] =
        (Output){"outputs", "FP32", predictor_output_width(model->predictor), prediction->outputs};
    if (!predictor_classifies(model->predictor))
        return 1;
    list[1] = (Output){"probabilities", "FP32", classes, prediction->probabilities};
    list[2] = (Output){"predictions", "BYTES", 0, NULL};
    return 3;
}

static void write_output(JsonOut *out, const LoadedModel *model, const Output *output,
                         const Prediction *prediction) {
    int64_t rows = prediction->rows;
    json_begin_object(out, NULL);
    json_string(out, "name", output->name);
    json_string(out, "datatype", output->datatype);
    json_begin_array(out, "shape");
    json_integer(out, NULL, rows);
    if (output->width > 0)
        json_integer(out, NULL, output->width);
    json_end_array(out);
    json_begin_array(out, "data");
    for (int64_t i = 0; i < rows * output->width; i++)
        json_float(out, NULL, output->values[i]);
    for (int64_t row = 0; row < rows && output->width == 0; row++)
        json_string(out, NULL, prediction_class(model, prediction, row));
    json_end_array(out);
    json_end_object(out);
}

// The outputs that the request names, or all. False, with an issue, where it names one that there is not.
static size_t choose_outputs(Value wanted, const Output *all, size_t count, Issues *issues,
                             Output ret_chosen[OUTPUTS_MAX]) {
    size_t chosen = 0;
    if (value_kind(wanted) != VALUE_ARRAY || value_length(wanted) == 0) {
        memcpy(ret_chosen, all, count * sizeof *all);
        return count;
    }
    VALUE_FOREACH(item, wanted) {
        const char *name = value_string(value_member(item, "name"));
        size_t i = 0;
        while (name != NULL && i < count && strcmp(all[i].name, name) != 0)
            i++;
        if (name == NULL || i == count || chosen == OUTPUTS_MAX)
            issues_add_at(issues, "/outputs",
                          "the model has no output \"%.60s\", or too many are named",
                          name != NULL ? name : "");
        else
            ret_chosen[chosen++] = all[i];
    }
    return chosen;
}

// All that is wrong, in the one sentence that the protocol has for it.
static void answer_wrong(Request *request, int error, const Issues *issues) {
    if (error != ERR_INVALID) {
        answer_error(request, error, NULL);
        return;
    }
    Text said;
    text_init(&said);
    for (size_t i = 0; i < issues->count; i++)
        text_add_format(&said, "%s%s: %s", i > 0 ? "; " : "", issues->items[i].pointer,
                        issues->items[i].detail);
    answer_problem(request, 400, "%s", text_string(&said));
    text_finish(&said);
}

static void infer_with(Request *request, const Document *document, const LoadedModel *model) {
    Issues issues;
    ModelInputs inputs = {0};
    Prediction prediction = {0};
    NamedTensors tensors = {.count = 0};
    Output all[OUTPUTS_MAX], chosen[OUTPUTS_MAX];
    Value root = document_root(document);
    const char *text, *own = value_string(value_member(root, "id"));
    size_t length, count = 0;
    issues_init(&issues);
    int error = OK;
    if (document_lifted(document, "/inputs", &text, &length))
        error = tensors_read((Span){.at = text, .end = text + length}, &issues, &tensors);
    else
        issues_add_at(&issues, "/inputs", "must be an array of tensors");
    if (error == OK && !issues_any(&issues))
        error = read_inputs(&tensors, model, &inputs);
    if (error == OK && !issues_any(&issues))
        error = prediction_run(model, &inputs, &prediction);
    if (error == OK && !issues_any(&issues))
        count = choose_outputs(value_member(root, "outputs"), all,
                               list_outputs(model, &prediction, all), &issues, chosen);
    if (error == OK && issues_any(&issues))
        error = issues.failed ? ERR_NO_MEMORY : ERR_INVALID;
    if (error == OK) {
        JsonOut out;
        json_init(&out);
        json_begin_object(&out, NULL);
        json_string(&out, "model_name", request_param(request, "id"));
        if (own != NULL)
            json_string(&out, "id", own);
        json_begin_array(&out, "outputs");
        for (size_t i = 0; i < count; i++)
            write_output(&out, model, &chosen[i], &prediction);
        json_end_array(&out);
        json_end_object(&out);
        answer_json(request, 200, &out);
        json_finish(&out);
    } else {
        answer_wrong(request, error, &issues);
    }
    prediction_finish(&prediction);
    model_inputs_finish(&inputs);
    tensors_finish(&tensors);
    issues_finish(&issues);
}

// Why the model is not asked by tensors; NULL: it is.
static const char *not_tensors(const LoadedModel *model) {
    const Task *task = predictor_task(model->predictor);
    return task->kind == TASK_LANGUAGE_MODEL ? "continues texts: POST /v1/models/ID/generate"
           : task->rows == ROWS_NODES || task->rows == ROWS_GRAPHS
               ? "reads graphs, which are no tensors: POST /v1/models/ID/predict"
               : NULL;
}

static void infer_post(Request *request) {
    static const char *const lifted[] = {"/inputs", NULL};
    char id[ID_TEXT];
    LoadedModel *model = request_borrow(request, id);
    if (model == NULL)
        return;
    Document *document = NULL;
    if (not_tensors(model) != NULL)
        answer_problem(request, 400, "This model %s.", not_tensors(model));
    else
        document = body_parse(request, lifted, true);
    if (document != NULL)
        infer_with(request, document, model);
    document_destroy(document);
    predictors_return(request_services(request)->predictors, model);
}

// ---- metadata and health ----

static void write_tensor(JsonOut *out, const char *name, const char *datatype, const Shape *row) {
    json_begin_object(out, NULL);
    json_string(out, "name", name);
    json_string(out, "datatype", datatype);
    json_begin_array(out, "shape");
    json_integer(out, NULL, -1);
    for (int axis = 0; axis < row->rank; axis++)
        json_integer(out, NULL, row->dim[axis]);
    json_end_array(out);
    json_end_object(out);
}

static void write_inputs(JsonOut *out, const LoadedModel *model) {
    const Shape none = {.rank = 0};
    bool texts = strcmp(tensor_name(model), "texts") == 0;
    json_begin_array(out, "inputs");
    if (tensor_columns(model) == NULL)
        write_tensor(out, tensor_name(model), texts ? "BYTES" : "FP32",
                     texts ? &none : &model->input);
    else
        for (size_t i = 0; i < model->columns->count; i++)
            write_tensor(out, model->columns->items[i].name,
                         model->columns->items[i].category ? "BYTES" : "FP32", &none);
    json_end_array(out);
}

static void model_metadata(Request *request) {
    char id[ID_TEXT];
    LoadedModel *model = request_borrow(request, id);
    if (model == NULL)
        return;
    Output outputs[OUTPUTS_MAX];
    size_t count = not_tensors(model) == NULL ? list_outputs(model, &(Prediction){0}, outputs) : 0;
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "name", request_param(request, "id"));
    json_string(&out, "platform", "backpropd");
    if (not_tensors(model) == NULL)
        write_inputs(&out, model);
    else
        json_raw(&out, "inputs", "[]");
    json_begin_array(&out, "outputs");
    for (size_t i = 0; i < count; i++)
        write_tensor(&out, outputs[i].name, outputs[i].datatype,
                     &(Shape){.rank = outputs[i].width > 0, .dim = {outputs[i].width}});
    json_end_array(&out);
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
    predictors_return(request_services(request)->predictors, model);
}

// A model that is there is ready: it is loaded when it is asked.
static void model_ready(Request *request) {
    char id[ID_TEXT];
    ModelRow row;
    int error = request_model(request, id);
    if (error == OK)
        error = models_get(request_services(request)->store, id, &row);
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such model." : NULL);
        return;
    }
    model_row_finish(&row);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "name", request_param(request, "id"));
    json_boolean(&out, "ready", true);
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void server_metadata(Request *request) {
    static const char body[] =
        "{\"name\":\"backpropd\",\"version\":\"" BACKPROPD_VERSION "\",\"extensions\":[]}";
    answer_static(request, 200, "application/json", body, sizeof body - 1);
}

static void server_live(Request *request) {
    static const char body[] = "{\"live\":true}";
    answer_static(request, 200, "application/json", body, sizeof body - 1);
}

// The protocol's text calls the member "live", its clients read "ready".
static void server_ready(Request *request) {
    static const char body[] = "{\"live\":true,\"ready\":true}";
    const char *why = service_not_ready(request);
    if (why == NULL)
        answer_static(request, 200, "application/json", body, sizeof body - 1);
    else
        answer_problem(request, 503, "%s", why);
}

static const int health_errors[] = {503, 0};
static const int model_errors[] = {404, 0};
static const int infer_errors[] = {400, 404, 413, 415, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v2",
     .tag = "inference",
     .summary = "The server, as the Open Inference Protocol has it",
     .status = 200,
     .response_schema = "InferenceServer",
     .flags = ROUTE_INLINE,
     .handler = server_metadata},
    {.method = "GET",
     .path = "/v2/health/live",
     .tag = "inference",
     .summary = "Alive",
     .status = 200,
     .response_schema = "InferenceHealth",
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = server_live},
    {.method = "GET",
     .path = "/v2/health/ready",
     .tag = "inference",
     .summary = "Ready for work",
     .status = 200,
     .response_schema = "InferenceHealth",
     .errors = health_errors,
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = server_ready},
    {.method = "GET",
     .path = "/v2/models/{id}",
     .tag = "inference",
     .summary = "A model's tensors",
     .status = 200,
     .response_schema = "InferenceModel",
     .errors = model_errors,
     .handler = model_metadata},
    {.method = "GET",
     .path = "/v2/models/{id}/ready",
     .tag = "inference",
     .summary = "Whether the model is there",
     .status = 200,
     .response_schema = "InferenceReady",
     .errors = model_errors,
     .handler = model_ready},
    {.method = "POST",
     .path = "/v2/models/{id}/infer",
     .tag = "inference",
     .summary = "Predict for tensors",
     .accepts = http_accepts_json,
     .request_schema = "InferenceRequest",
     .status = 200,
     .response_schema = "InferenceResponse",
     .errors = infer_errors,
     .handler = infer_post},
};

const RouteGroup inference_routes = {"inference",
                                     "Predictions by the Open Inference Protocol, version 2",
                                     routes, ARRAY_LENGTH(routes)};
