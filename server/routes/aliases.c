// Aliases: stable names that point to models. Wherever a model's id stands, its alias may stand.
#include <stdio.h>
#include "core/base/error.h"
#include "server/routes/common.h"

static void alias_write(JsonOut *out, const AliasRow *row) {
    char updated_at[TIME_TEXT];
    time_text(row->updated_at, updated_at);
    json_begin_object(out, NULL);
    json_string(out, "name", row->name);
    json_string(out, "model", row->model);
    json_string(out, "updated_at", updated_at);
    json_end_object(out);
}

static void answer_alias(Request *request, const char *name) {
    AliasRow row;
    int error = aliases_get(request_services(request)->store, name, &row);
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such alias." : NULL);
        return;
    }
    JsonOut out;
    json_init(&out);
    alias_write(&out, &row);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void alias_get(Request *request) {
    answer_alias(request, request_param(request, "name"));
}

static void alias_put_body(Request *request, Value body) {
    static const char *const members[] = {"model", NULL};
    Store *store = request_services(request)->store;
    const char *name = request_param(request, "name");
    const char *model = value_string(value_member(body, "model"));
    char id[ID_TEXT];
    Issues issues;
    issues_init(&issues);
    keys_check(body, members, &issues);
    if (!alias_valid(name))
        issues_add_at(&issues, "",
                      "an alias has 1 to %d letters, digits, '-', '_' or '.', and does not begin "
                      "with '.' or \"mdl_\"",
                      ALIAS_TEXT - 1);
    if (model == NULL)
        issues_add_at(&issues, "/model", "must be a model's id or alias, a string");
    int error = model == NULL ? ERR_INVALID : models_resolve(store, model, id);
    if (error == OK && !issues_any(&issues))
        error = aliases_put(store, name, id);
    else if (error == OK)
        error = ERR_INVALID;
    if (error == ERR_NOT_FOUND) {
        issues_add_at(&issues, "/model", "there is no model \"%.60s\"", model);
        error = ERR_INVALID;
    }
    if (error == OK)
        answer_alias(request, name);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else
        answer_error(request, error, NULL);
    issues_finish(&issues);
}

static void alias_put(Request *request) {
    Document *document = body_parse(request, NULL, true);
    if (document != NULL)
        alias_put_body(request, document_root(document));
    document_destroy(document);
}

static void alias_delete(Request *request) {
    int error = aliases_delete(request_services(request)->store, request_param(request, "name"));
    if (error == OK)
        answer_empty(request, 204);
    else
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such alias." : NULL);
}

typedef struct AliasList {
    JsonOut out;
    int limit, count;
    char last[ALIAS_TEXT];
    bool more;
} AliasList;

static int list_alias(void *context, const AliasRow *row) {
    AliasList *list = context;
    if (list->count == list->limit) {
        list->more = true;
        return 1;
    }
    list->count++;
    snprintf(list->last, sizeof list->last, "%s", row->name);
    alias_write(&list->out, row);
    return 0;
}

static void aliases_get_all(Request *request) {
    const char *cursor = request_query(request, "cursor");
    AliasList list = {.limit = (int)request_query_integer(request, "limit", 50)};
    if (cursor != NULL && !alias_valid(cursor)) {
        answer_problem(request, 400, "The query's \"cursor\" is not one that this list gave.");
        return;
    }
    json_init(&list.out);
    json_begin_object(&list.out, NULL);
    json_begin_array(&list.out, "items");
    int error = aliases_list(request_services(request)->store, NULL, cursor, list.limit + 1,
                             list_alias, &list);
    json_end_array(&list.out);
    json_string(&list.out, "next", list.more ? list.last : NULL);
    json_end_object(&list.out);
    if (error < 0)
        answer_error(request, error, NULL);
    else
        answer_json(request, 200, &list.out);
    json_finish(&list.out);
}

static const QueryDesc list_query[] = {PAGE_QUERIES, {0}};
static const int put_errors[] = {400, 413, 415, 422, 0}, one_errors[] = {404, 0},
                 list_errors[] = {400, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/aliases",
     .tag = "models",
     .summary = "Aliases by name",
     .query = list_query,
     .status = 200,
     .response_schema = "AliasList",
     .errors = list_errors,
     .handler = aliases_get_all},
    {.method = "GET",
     .path = "/v1/aliases/{name}",
     .tag = "models",
     .summary = "What an alias points to",
     .status = 200,
     .response_schema = "Alias",
     .errors = one_errors,
     .handler = alias_get},
    {.method = "PUT",
     .path = "/v1/aliases/{name}",
     .tag = "models",
     .summary = "Point an alias to a model",
     .accepts = http_accepts_json,
     .request_schema = "AliasInput",
     .max_body = 4096,
     .status = 200,
     .response_schema = "Alias",
     .errors = put_errors,
     .handler = alias_put},
    {.method = "DELETE",
     .path = "/v1/aliases/{name}",
     .tag = "models",
     .summary = "Forget an alias; the model stays",
     .status = 204,
     .errors = one_errors,
     .handler = alias_delete},
};

const RouteGroup aliases_routes = {"aliases", NULL, routes, ARRAY_LENGTH(routes)};
