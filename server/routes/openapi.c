// The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0), made from the routes' own table.
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "core/base/memory.h"
#include "server/http/problem.h"
#include "server/routes/routes.h"
#include "server/routes/schemas.h"

static void write_schema_ref(JsonOut *out, const char *name) {
    char reference[128];
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    json_begin_object(out, "schema");
    json_string(out, "$ref", reference);
    json_end_object(out);
}

static void write_query_schema(JsonOut *out, const QueryDesc *query) {
    static const char *const types[] = {[QUERY_TEXT] = "string",
                                        [QUERY_INTEGER] = "integer",
                                        [QUERY_NUMBER] = "number",
                                        [QUERY_BOOLEAN] = "boolean"};
    bool number = query->type == QUERY_INTEGER || query->type == QUERY_NUMBER;
    json_begin_object(out, "schema");
    if (query->keyword != NULL) {
        json_begin_array(out, "type");
        json_string(out, NULL, types[query->type]);
        json_string(out, NULL, "string");
        json_end_array(out);
    } else {
        json_string(out, "type", types[query->type]);
    }
    if (number) {
        json_integer(out, "minimum", query->minimum);
        json_integer(out, "maximum", query->maximum);
    }
    if (query->choices != NULL) {
        json_begin_array(out, "enum");
        for (const char *const *choice = query->choices; *choice != NULL; choice++)
            json_string(out, NULL, *choice);
        json_end_array(out);
    }
    json_end_object(out);
}

static void write_parameter(JsonOut *out, const char *name, const char *in, bool required,
                            const char *help, const QueryDesc *query) {
    json_begin_object(out, NULL);
    json_string(out, "name", name);
    json_string(out, "in", in);
    json_boolean(out, "required", required);
    if (help != NULL)
        json_string(out, "description", help);
    if (query != NULL)
        write_query_schema(out, query);
    else
        json_raw(out, "schema", "{\"type\":\"string\"}");
    json_end_object(out);
}

static void write_parameters(JsonOut *out, const RouteDesc *route) {
    json_begin_array(out, "parameters");
    for (const char *open = strchr(route->path, '{'); open != NULL; open = strchr(open + 1, '{')) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
        write_parameter(out, name, "path", true, NULL, NULL);
    }
    for (const QueryDesc *query = route->query; query != NULL && query->name != NULL; query++)
        write_parameter(out, query->name, "query", false, query->help, query);
    if (route->flags & ROUTE_CREATES)
        write_parameter(out, "Idempotency-Key", "header", false,
                        "The same key and body again gives the first answer again.", NULL);
    json_end_array(out);
}

// The schema of a content type that the route accepts; NULL: none.
static const char *accepted_schema(const RouteDesc *route, const char *type) {
    if (strcmp(type, "application/json") == 0)
        return route->request_schema;
    for (const char *const *pair = route->other_schemas; pair != NULL && *pair != NULL; pair += 2)
        if (strcmp(pair[0], type) == 0)
            return pair[1];
    return NULL;
}

static void write_request(JsonOut *out, const RouteDesc *route) {
    if (route->accepts == NULL)
        return;
    json_begin_object(out, "requestBody");
    json_boolean(out, "required", !route->body_optional);
    json_begin_object(out, "content");
    for (const char *const *type = route->accepts; *type != NULL; type++) {
        json_begin_object(out, *type);
        const char *schema = accepted_schema(route, *type);
        if (schema != NULL)
            write_schema_ref(out, schema);
        else
            json_raw(out, "schema", "{\"type\":\"string\"}");
        json_end_object(out);
    }
    json_end_object(out);
    json_end_object(out);
}

static void write_problem(JsonOut *out, const RouteDesc *route, int status) {
    char key[8];
    snprintf(key, sizeof key, "%d", status);
    json_begin_object(out, key);
    json_string(out, "description", status_title(status));
    json_begin_object(out, "content");
    bool inference = strncmp(route->path, "/v2", 3) == 0; // whose errors are that protocol's
    json_begin_object(out, inference ? "application/json" : "application/problem+json");
    write_schema_ref(out, inference ? "InferenceError" : "Problem");
    json_end_object(out);
    json_end_object(out);
    json_end_object(out);
}

static void write_dry_run(JsonOut *out, const RouteDesc *route) {
    json_begin_object(out, "200");
    json_string(out, "description", "With dry_run: nothing was done");
    json_begin_object(out, "content");
    json_begin_object(out, "application/json");
    write_schema_ref(out, route->dry_run_schema);
    json_end_object(out);
    json_end_object(out);
    json_end_object(out);
}

static void write_success(JsonOut *out, const RouteDesc *route) {
    static const char *const json_only[] = {"application/json", NULL};
    char key[8];
    snprintf(key, sizeof key, "%d", route->status);
    json_begin_object(out, key);
    json_string(out, "description", route->summary);
    if (route->flags & ROUTE_CREATES)
        json_raw(out, "headers", "{\"Location\":{\"schema\":{\"type\":\"string\"}}}");
    if (route->response_schema != NULL || route->produces != NULL) {
        json_begin_object(out, "content");
        for (const char *const *type = route->produces != NULL ? route->produces : json_only;
             *type != NULL; type++) {
            json_begin_object(out, *type);
            if (strcmp(*type, "application/json") == 0)
                write_schema_ref(out, route->response_schema);
            else
                json_raw(out, "schema", "{\"type\":\"string\"}");
            json_end_object(out);
        }
        json_end_object(out);
    }
    json_end_object(out);
}

static bool lists_error(const RouteDesc *route, int wanted) {
    for (const int *status = route->errors; status != NULL && *status != 0; status++)
        if (*status == wanted)
            return true;
    return false;
}

static void write_answers(JsonOut *out, const RouteDesc *route) {
    bool open = (route->flags & ROUTE_OPEN) != 0;
    json_begin_object(out, "responses");
    if (route->dry_run_schema != NULL)
        write_dry_run(out, route);
    write_success(out, route);
    if (route->flags & ROUTE_NOT_MODIFIED)
        json_raw(out, "304", "{\"description\":\"Not Modified\"}");
    if (route->query != NULL && !lists_error(route, 400)) // queries are checked before its handler
        write_problem(out, route, 400);
    if (!open)
        write_problem(out, route, 401);
    write_problem(out, route, 403);
    for (const int *status = route->errors; status != NULL && *status != 0; status++)
        write_problem(out, route, *status);
    json_end_object(out);
}

static void write_operation(JsonOut *out, const RouteDesc *route) {
    char method[16] = {0};
    for (size_t i = 0; i + 1 < sizeof method && route->method[i] != '\0'; i++)
        method[i] = (char)tolower((unsigned char)route->method[i]);
    json_begin_object(out, method);
    json_string(out, "summary", route->summary);
    json_begin_array(out, "tags");
    json_string(out, NULL, route->tag);
    json_end_array(out);
    if (route->flags & ROUTE_OPEN)
        json_raw(out, "security", "[]");
    write_parameters(out, route);
    write_request(out, route);
    write_answers(out, route);
    json_end_object(out);
}

// A path's operations stand together, whichever groups they come from: each path is written where
// it first stands.
static bool path_stood_before(const RouteGroup *const *until_group, size_t until,
                              const char *path) {
    for (const RouteGroup *const *group = route_groups; group <= until_group; group++)
        for (size_t i = 0; i < (group == until_group ? until : (*group)->count); i++)
            if (strcmp((*group)->routes[i].path, path) == 0)
                return true;
    return false;
}

static void write_path(JsonOut *out, const char *path) {
    json_begin_object(out, path);
    for (const RouteGroup *const *group = route_groups; *group != NULL; group++)
        for (size_t i = 0; i < (*group)->count; i++)
            if (strcmp((*group)->routes[i].path, path) == 0)
                write_operation(out, &(*group)->routes[i]);
    json_end_object(out);
}

static void write_tags(JsonOut *out) {
    json_begin_array(out, "tags");
    for (const RouteGroup *const *group = route_groups; *group != NULL; group++) {
        if ((*group)->summary == NULL)
            continue;
        json_begin_object(out, NULL);
        json_string(out, "name", (*group)->name);
        json_string(out, "description", (*group)->summary);
        json_end_object(out);
    }
    json_end_array(out);
}

void openapi_write(JsonOut *out) {
    json_begin_object(out, NULL);
    json_string(out, "openapi", "3.1.0");
    json_begin_object(out, "info");
    json_string(out, "title", "backpropd");
    json_string(out, "version", BACKPROPD_VERSION);
    json_string(
        out, "description",
        "Trains neural networks, keeps every loss and gradient norm, and answers predictions.");
    json_end_object(out);
    write_tags(out);
    // A server without a token asks for neither.
    json_raw(out, "security", "[{\"bearer\":[]},{\"session\":[]},{}]");
    json_begin_object(out, "paths");
    for (const RouteGroup *const *group = route_groups; *group != NULL; group++)
        for (size_t i = 0; i < (*group)->count; i++)
            if (!path_stood_before(group, i, (*group)->routes[i].path))
                write_path(out, (*group)->routes[i].path);
    json_end_object(out);
    json_begin_object(out, "components");
    json_raw(out, "securitySchemes",
             "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
             "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"" HTTP_SESSION_COOKIE
             "\"}}");
    json_begin_object(out, "schemas");
    schemas_write(out);
    json_end_object(out);
    json_end_object(out);
    json_end_object(out);
}

static void openapi_get(Request *request) {
    const Text *document = &request_services(request)->openapi;
    answer_static(request, 200, "application/json", document->data, document->length);
}

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/openapi.json",
     .tag = "service",
     .summary = "This contract as OpenAPI 3.1",
     .status = 200,
     .response_schema = "Catalog",
     .handler = openapi_get},
};

const RouteGroup openapi_routes = {"openapi", NULL, routes, ARRAY_LENGTH(routes)};
