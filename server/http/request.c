// A handler's view of its request (http.h).
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/internal.h"

void *request_context(const Request *request) {
    return request->http->options.context;
}

Http *request_http(const Request *request) {
    return request->http;
}

const RouteDesc *request_route(const Request *request) {
    return request->route;
}

const char *request_method(const Request *request) {
    return request->method;
}

const char *request_target(const Request *request) {
    return request->raw_target;
}

const char *request_param(const Request *request, const char *name) {
    for (int i = 0; i < request->params.count; i++)
        if (strcmp(request->params.item[i].name, name) == 0)
            return request->params.item[i].value;
    return "";
}

const char *request_header(const Request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_query(const Request *request, const char *name) {
    for (size_t i = 0; i < request->target.queries; i++)
        if (strcmp(request->target.item[i].name, name) == 0)
            return request->target.item[i].value;
    return NULL;
}

const char *request_body(const Request *request, size_t *ret_length) {
    *ret_length = request->body.length;
    return body_data(&request->body);
}

Source request_source(const Request *request) {
    const Body *body = &request->body;
    return (Source){body_data(body), body->length, body->map != NULL};
}

size_t request_body_limit(const Request *request) {
    return request->body.limit;
}

const char *request_content_type(const Request *request) {
    return request->content_type;
}

// ---- queries ----

static const QueryDesc *query_find(const RouteDesc *route, const char *name) {
    for (const QueryDesc *query = route->query; query != NULL && query->name != NULL; query++)
        if (strcmp(query->name, name) == 0)
            return query;
    return NULL;
}

static bool number_read(const char *text, bool whole, int64_t minimum, int64_t maximum) {
    char *end;
    if (text[0] == '\0' || strspn(text, whole ? "-0123456789" : "-+.0123456789eE") != strlen(text))
        return false;
    if (whole) {
        long long value = strtoll(text, &end, 10); // saturates, which the bounds then refuse
        return *end == '\0' && strlen(text) < 20 && value >= minimum && value <= maximum;
    }
    double value = strtod(text, &end);
    return *end == '\0' && value >= (double)minimum && value <= (double)maximum;
}

static bool query_valid(Request *request, const QueryDesc *query, const char *value) {
    Text wanted;
    text_init(&wanted);
    bool valid = true;
    switch (query->type) {
    case QUERY_INTEGER:
    case QUERY_NUMBER:
        valid = number_read(value, query->type == QUERY_INTEGER, query->minimum, query->maximum) ||
                (query->keyword != NULL && strcmp(value, query->keyword) == 0);
        text_add_format(&wanted, "a %s from %lld to %lld%s%s",
                        query->type == QUERY_INTEGER ? "whole number" : "number",
                        (long long)query->minimum, (long long)query->maximum,
                        query->keyword != NULL ? ", or " : "",
                        query->keyword != NULL ? query->keyword : "");
        break;
    case QUERY_BOOLEAN:
        valid = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
        text_add(&wanted, "true or false");
        break;
    case QUERY_TEXT:
        if (query->choices != NULL) {
            valid = false;
            text_add(&wanted, "one of");
            for (const char *const *choice = query->choices; *choice != NULL; choice++) {
                valid = valid || strcmp(value, *choice) == 0;
                text_add_format(&wanted, "%s %s", choice == query->choices ? "" : ",", *choice);
            }
        }
        break;
    }
    if (!valid)
        answer_problem(request, 400, "The query's \"%s\" must be %s, not \"%.80s\".", query->name,
                       text_string(&wanted), value);
    text_finish(&wanted);
    return valid;
}

bool request_check_query(Request *request) {
    const RouteDesc *route = request->route;
    for (size_t i = 0; i < request->target.queries; i++) {
        const char *name = request->target.item[i].name;
        const QueryDesc *query = query_find(route, name);
        if (query != NULL) {
            if (!query_valid(request, query, request->target.item[i].value))
                return false;
            continue;
        }
        Text known;
        text_init(&known);
        for (query = route->query; query != NULL && query->name != NULL; query++)
            text_add_format(&known, "%s%s", query == route->query ? "" : ", ", query->name);
        answer_problem(request, 400, "The query's \"%.80s\" is unknown here; this route takes %s.",
                       name, known.length > 0 ? text_string(&known) : "none");
        text_finish(&known);
        return false;
    }
    return true;
}

int64_t request_query_integer(const Request *request, const char *name, int64_t fallback) {
    const char *value = request_query(request, name);
    char *end;
    if (value == NULL)
        return fallback;
    long long number = strtoll(value, &end, 10);
    return end == value ? fallback : number;
}

bool request_query_boolean(const Request *request, const char *name) {
    const char *value = request_query(request, name);
    return value != NULL && strcmp(value, "true") == 0;
}

int request_page(Request *request, const char *prefix, Page *ret_page) {
    const char *cursor = request_query(request, "cursor");
    if (cursor != NULL) {
        size_t length = strlen(prefix);
        if (strncmp(cursor, prefix, length) != 0 || cursor[length] == '\0' ||
            strlen(cursor) >= 40 ||
            strspn(cursor + length,
                   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") !=
                strlen(cursor + length)) {
            answer_problem(request, 400, "The query's \"cursor\" is not one that this list gave.");
            return ERR_INVALID;
        }
    }
    *ret_page = (Page){(int)request_query_integer(request, "limit", 50), cursor};
    return OK;
}

// ---- content negotiation ----

// The quality that an Accept header gives to `type`, 0…1000; the most specific range counts.
static int accept_quality(const char *accept, const char *type) {
    int best = 0, best_rank = -1;
    size_t major = strcspn(type, "/") + 1;
    while (*accept != '\0') {
        accept += strspn(accept, " ,\t");
        size_t item = strcspn(accept, ",");
        size_t range = strcspn(accept, ",; \t");
        int rank =
            range == strlen(type) && strncasecmp(accept, type, range) == 0 ? 2
            : range == major + 1 && accept[major] == '*' && strncasecmp(accept, type, major) == 0
                ? 1
            : range == 3 && strncmp(accept, "*/*", 3) == 0 ? 0
                                                           : -1;
        if (rank > best_rank) {
            int quality = 1000;
            for (size_t i = range; i + 2 < item; i++)
                if (accept[i] == ';') {
                    i += 1 + strspn(accept + i + 1, " \t");
                    if (strncasecmp(accept + i, "q=", 2) == 0)
                        quality = (int)(strtod(accept + i + 2, NULL) * 1000);
                }
            best = quality;
            best_rank = rank;
        }
        accept += item;
    }
    return best;
}

const char *request_preferred_type(const Request *request) {
    const char *const *types = request->route->produces;
    const char *accept = request_header(request, "Accept");
    if (types == NULL)
        return "application/json";
    const char *best = types[0];
    int best_quality = 0;
    for (; accept != NULL && *types != NULL; types++) {
        int quality = accept_quality(accept, *types);
        if (quality > best_quality) {
            best = *types;
            best_quality = quality;
        }
    }
    return best;
}

void request_destroy(Request *request) {
    if (request == NULL)
        return;
    answer_finish(&request->answer);
    body_finish(&request->body);
    target_finish(&request->target);
    memory_free(request->raw_target);
    memory_free(request);
}
