// Models: listed, shown, deleted, and their weights as safetensors.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/store/tables.h"

enum { ALIASES_SHOWN = 50 };

static int alias_add(void *context, const AliasRow *row) {
    json_string(context, NULL, row->name);
    return 0;
}

static void model_write_row(Store *store, JsonOut *out, const ModelRow *row) {
    char created_at[TIME_TEXT];
    time_text(row->created_at, created_at);
    json_begin_object(out, NULL);
    json_string(out, "id", row->id);
    json_string(out, "name", row->name);
    json_string(out, "job", row->job[0] == '\0' ? NULL : row->job);
    json_begin_array(out, "aliases");
    aliases_list(store, row->id, NULL, ALIASES_SHOWN, alias_add, out);
    json_end_array(out);
    json_raw(out, "spec", row->spec);
    json_raw(out, "input_shape", row->input_shape);
    json_raw(out, "classes", row->classes);
    json_raw(out, "metrics", row->metrics);
    json_integer(out, "parameters", row->parameters);
    json_string(out, "sha256", row->sha256);
    json_integer(out, "bytes", row->bytes);
    json_string(out, "created_at", created_at);
    json_end_object(out);
}

static void answer_no_model(Request *request, int error) {
    answer_error(request, error,
                 error == ERR_NOT_FOUND  ? "There is no such model."
                 : error == ERR_CONFLICT ? "A job that has not ended starts from it."
                                         : NULL);
}

typedef struct ModelList {
    List list;
    Store *store;
} ModelList;

static int list_model(void *context, const ModelRow *row) {
    ModelList *models = context;
    if (!list_room(&models->list, row->id))
        return 1;
    model_write_row(models->store, &models->list.out, row);
    return 0;
}

static void models_get_all(Request *request) {
    Page page;
    ModelList models = {.store = request_services(request)->store};
    if (request_page(request, "mdl_", &page) != OK)
        return;
    list_begin(&models.list, page.limit);
    int error = models_list(models.store, page.cursor, page.limit + 1, list_model, &models);
    answer_list(request, &models.list, error);
}

static void model_get(Request *request) {
    Store *store = request_services(request)->store;
    char id[ID_TEXT];
    ModelRow row;
    int error = request_model(request, id);
    if (error == OK)
        error = models_get(store, id, &row);
    if (error != OK) {
        answer_no_model(request, error);
        return;
    }
    JsonOut out;
    json_init(&out);
    model_write_row(store, &out, &row);
    answer_json(request, 200, &out);
    json_finish(&out);
    model_row_finish(&row);
}

static void model_delete(Request *request) {
    const Services *services = request_services(request);
    const char *id = request_param(request, "id"); // no alias: that one has a DELETE of its own
    int error = id_valid("mdl_", id) ? models_delete(services->store, id) : ERR_NOT_FOUND;
    if (error == ERR_EXISTS) {
        answer_problem(request, 409, "An alias points to it: move or delete that first.");
        return;
    }
    if (error != OK) {
        answer_no_model(request, error);
        return;
    }
    predictors_forget(services->predictors, id);
    answer_empty(request, 204);
}

// Writes the file into DIR/tmp, opens it and takes its name away.
static int weights_export(const Services *services, const LoadedModel *loaded,
                          int *ret_descriptor) {
    const Model *model = predictor_model(loaded->predictor);
    char path[4096], id[ID_TEXT];
    AUTO_FREE Real *weights =
        memory_array(graph_weight_elements(model_graph(model)), sizeof *weights);
    if (weights == NULL)
        return ERR_NO_MEMORY;
    id_make("tmp", id);
    if (snprintf(path, sizeof path, "%s/tmp/%s.safetensors", store_path(services->store), id) >=
        (int)sizeof path)
        return ERR_TOO_LARGE;
    int error = model_load_weights(model, loaded->archive, weights);
    if (error == OK)
        error = model_export_safetensors(model, weights, path);
    if (error != OK)
        return error;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    unlink(path);
    if (descriptor < 0)
        return ERR_IO;
    *ret_descriptor = descriptor;
    return OK;
}

static void model_get_weights(Request *request) {
    const Services *services = request_services(request);
    char id[ID_TEXT];
    LoadedModel *loaded;
    int descriptor;
    int error = request_model(request, id);
    if (error == OK)
        error = predictors_borrow(services->predictors, id, &loaded);
    if (error == OK) {
        error = weights_export(services, loaded, &descriptor);
        predictors_return(services->predictors, loaded);
    }
    if (error != OK) {
        answer_no_model(request, error);
        return;
    }
    answer_header(request, "Content-Disposition", "attachment; filename=\"%s.safetensors\"", id);
    answer_file(request, "application/octet-stream", descriptor);
}

static const QueryDesc list_query[] = {PAGE_QUERIES, {0}};
static const char *const produces_weights[] = {"application/octet-stream", NULL};
static const int one_errors[] = {404, 0}, delete_errors[] = {404, 409, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/models",
     .tag = "models",
     .summary = "Models, newest first",
     .query = list_query,
     .status = 200,
     .response_schema = "ModelList",
     .handler = models_get_all},
    {.method = "GET",
     .path = "/v1/models/{id}",
     .tag = "models",
     .summary = "A model",
     .status = 200,
     .response_schema = "Model",
     .errors = one_errors,
     .handler = model_get},
    {.method = "DELETE",
     .path = "/v1/models/{id}",
     .tag = "models",
     .summary = "Forget a model",
     .status = 204,
     .errors = delete_errors,
     .handler = model_delete},
    {.method = "GET",
     .path = "/v1/models/{id}/weights",
     .tag = "models",
     .summary = "Its weights as safetensors",
     .status = 200,
     .produces = produces_weights,
     .errors = one_errors,
     .flags = ROUTE_HEAVY,
     .handler = model_get_weights},
};

const RouteGroup models_routes = {"models", "What training leaves", routes, ARRAY_LENGTH(routes)};
