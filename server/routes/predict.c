// Predictions: rows as the dataset's columns were, texts, or graphs; answers by name or in the target's own unit.
#include <string.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/drifts.h"
#include "server/routes/prediction.h"

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

static void write_classes(JsonOut *out, const LoadedModel *model, const Prediction *prediction) {
    json_begin_array(out, "predictions");
    for (int64_t row = 0; row < prediction->rows; row++)
        json_string(out, NULL, prediction_class(model, prediction, row));
    json_end_array(out);
    write_rows(out, "probabilities", prediction->probabilities, prediction->rows,
               predictor_classes(model->predictor));
}

static void answer_prediction(Request *request, const char *id, const LoadedModel *model,
                              const ModelInputs *inputs, const Prediction *prediction) {
    int64_t width = predictor_output_width(model->predictor);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    write_rows(&out, "outputs", prediction->outputs, prediction->rows, width);
    if (predictor_classifies(model->predictor))
        write_classes(&out, model, prediction);
    else
        write_rows(&out, "predictions", prediction->outputs, prediction->rows, width);
    Language language = request_language(request);
    if (drifts_note(request_services(request)->drifts, id, model, inputs, language, &out))
        answer_language(request, language); // all else is numbers and names
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
    ModelInputs inputs = {0};
    Prediction prediction = {0};
    Issues issues;
    issues_init(&issues);
    int error = model_inputs_read(document, model, NULL, &issues, &inputs);
    if (error == OK)
        error = prediction_run(model, &inputs, &prediction);
    if (error == OK)
        answer_prediction(request, id, model, &inputs, &prediction);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else
        answer_error(request, error, issues.count > 0 ? issues.items[0].detail : NULL);
    prediction_finish(&prediction);
    model_inputs_finish(&inputs);
    issues_finish(&issues);
}

static void predict_post(Request *request) {
    char id[ID_TEXT];
    LoadedModel *model = request_borrow(request, id);
    if (model == NULL)
        return;
    Document *document = body_parse(request, model_inputs_lifted, true);
    if (document != NULL)
        predict_with(request, document, id, model);
    document_destroy(document);
    predictors_return(request_services(request)->predictors, model);
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
