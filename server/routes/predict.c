// Predictions: rows as the dataset's columns were, texts, or graphs; answers by name or in the target's own unit.
#include <string.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/drifts.h"
#include "server/routes/model_inputs.h"
#include "server/routes/predict_graphs.h"

typedef struct Prediction {
    const char *model; // its id
    ModelInputs inputs;
    int64_t rows;         // of the answer
    float *outputs;       // [rows, output width]
    float *probabilities; // [rows, classes]; NULL for numbers
} Prediction;

static void prediction_finish(Prediction *prediction) {
    model_inputs_finish(&prediction->inputs);
    memory_free(prediction->outputs);
    memory_free(prediction->probabilities);
}

// ---- running ----

static int prediction_run(const LoadedModel *model, Prediction *prediction) {
    prediction->rows = prediction->inputs.rows;
    size_t rows = (size_t)prediction->rows, outputs, probabilities;
    int64_t classes = predictor_classes(model->predictor);
    if (!size_multiply(rows, (size_t)predictor_output_width(model->predictor), &outputs) ||
        !size_multiply(rows, (size_t)classes, &probabilities))
        return ERR_TOO_LARGE;
    prediction->outputs = memory_array(outputs, sizeof *prediction->outputs);
    if (classes > 0)
        prediction->probabilities = memory_array(probabilities, sizeof *prediction->probabilities);
    if (prediction->outputs == NULL || (classes > 0 && prediction->probabilities == NULL))
        return ERR_NO_MEMORY;
    const PredictorInput input = {.rows = prediction->rows,
                                  .values = prediction->inputs.values,
                                  .lengths = prediction->inputs.lengths};
    return batcher_run(model->batcher, &input, prediction->outputs, prediction->probabilities);
}

// ---- answering ----

static void write_rows(JsonOut *out, const char *key, const float *values, int64_t rows,
                       int64_t width) {
    json_begin_array(out, key);
    for (int64_t row = 0; row < rows; row++) {
        json_begin_array(out, NULL);
        for (int64_t i = 0; i < width; i++)
            json_float(out, NULL, values[row * width + i]);
        json_end_array(out);
    }
    json_end_array(out);
}

static void write_classes(JsonOut *out, const Predictor *predictor, const Prediction *prediction) {
    int64_t classes = predictor_classes(predictor);
    json_begin_array(out, "predictions");
    for (int64_t row = 0; row < prediction->rows; row++) {
        const float *probabilities = prediction->probabilities + row * classes;
        int64_t best = 0;
        for (int64_t i = 1; i < classes; i++)
            if (probabilities[i] > probabilities[best])
                best = i;
        json_string(out, NULL, predictor_class_name(predictor, best));
    }
    json_end_array(out);
    write_rows(out, "probabilities", prediction->probabilities, prediction->rows, classes);
}

static void answer_prediction(Request *request, const LoadedModel *model,
                              const Prediction *prediction) {
    int64_t width = predictor_output_width(model->predictor);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    write_rows(&out, "outputs", prediction->outputs, prediction->rows, width);
    if (predictor_classifies(model->predictor))
        write_classes(&out, model->predictor, prediction);
    else
        write_rows(&out, "predictions", prediction->outputs, prediction->rows, width);
    drifts_note(request_services(request)->drifts, prediction->model, model, &prediction->inputs,
                &out);
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void predict_with(Request *request, const Document *document, const char *id,
                         LoadedModel *model) {
    if (predictor_task(model->predictor)->kind == TASK_LANGUAGE_MODEL) {
        answer_problem(
            request, 422,
            "This is a language model, which continues texts: POST /v1/models/%s/generate.",
            request_param(request, "id"));
        return;
    }
    Prediction prediction = {.model = id};
    Issues issues;
    issues_init(&issues);
    int error = model_inputs_read(document, model, NULL, &issues, &prediction.inputs);
    if (error == OK)
        error = predicts_graphs(model)
                    ? predict_graphs(model, &prediction.inputs.graphs, &prediction.rows,
                                     &prediction.outputs, &prediction.probabilities)
                    : prediction_run(model, &prediction);
    if (error == OK)
        answer_prediction(request, model, &prediction);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else
        answer_error(request, error, issues.count > 0 ? issues.items[0].detail : NULL);
    prediction_finish(&prediction);
    issues_finish(&issues);
}

static void predict_post(Request *request) {
    const Services *services = request_services(request);
    char id[ID_TEXT];
    LoadedModel *model;
    int error = request_model(request, id);
    if (error == OK)
        error = predictors_borrow(services->predictors, id, &model);
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such model." : NULL);
        return;
    }
    Document *document = body_parse(request, model_inputs_lifted, true);
    if (document != NULL)
        predict_with(request, document, id, model);
    document_destroy(document);
    predictors_return(services->predictors, model);
}

static bool predict_quick(const Request *request) {
    size_t bytes;
    request_body(request, &bytes);
    return predictors_quick(request_services(request)->predictors, request_param(request, "id"),
                            bytes);
}

static const int errors[] = {400, 404, 413, 415, 422, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/models/{id}/predict",
     .tag = "models",
     .summary = "Predict for some rows",
     .accepts = http_accepts_json,
     .request_schema = "PredictInput",
     .status = 200,
     .response_schema = "Prediction",
     .errors = errors,
     .handler = predict_post,
     .quick = predict_quick},
};

const RouteGroup predict_routes = {"predict", NULL, routes, ARRAY_LENGTH(routes)};
