// What a model has been asked about since it is here, beside what it has learned on.
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/drifts.h"

static void answer_none(Request *request, int error) {
    answer_error(request, error,
                 error == ERR_NOT_FOUND
                     ? "There is no such model, or it keeps nothing that inputs could be compared "
                       "with: models of nodes, corpora and very wide tables do not."
                     : NULL);
}

static int model_share(Request *request, char id[ID_TEXT], LoadedModel **ret_model) {
    int error = request_model(request, id);
    return error == OK ? predictors_share(request_services(request)->predictors, id, ret_model)
                       : error;
}

static void drift_get(Request *request) {
    const Services *services = request_services(request);
    char id[ID_TEXT];
    LoadedModel *model;
    JsonOut out;
    int error = model_share(request, id, &model);
    if (error != OK) {
        answer_none(request, error);
        return;
    }
    json_init(&out);
    error = drifts_write(services->drifts, id, model, &out);
    predictors_leave(services->predictors, model);
    if (error == OK)
        answer_json(request, 200, &out);
    else
        answer_none(request, error);
    json_finish(&out);
}

static void drift_delete(Request *request) {
    const Services *services = request_services(request);
    char id[ID_TEXT];
    LoadedModel *model;
    int error = model_share(request, id, &model);
    if (error == OK) {
        error = drifts_reset(services->drifts, id, model);
        predictors_leave(services->predictors, model);
    }
    if (error == OK)
        answer_empty(request, 204);
    else
        answer_none(request, error);
}

static const int errors[] = {404, 503, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/models/{id}/drift",
     .tag = "models",
     .summary = "How the inputs it is asked about differ from those it learned on",
     .status = 200,
     .response_schema = "Drift",
     .errors = errors,
     .handler = drift_get},
    {.method = "DELETE",
     .path = "/v1/models/{id}/drift",
     .tag = "models",
     .summary = "Begin to count its inputs anew",
     .status = 204,
     .errors = errors,
     .handler = drift_delete},
};

const RouteGroup model_drift_routes = {"model_drift", NULL, routes, ARRAY_LENGTH(routes)};
