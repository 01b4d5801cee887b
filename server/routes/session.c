// The page's session: the token for a cookie that no script can read.
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/routes/common.h"

static const char *const members[] = {"token", NULL};

static void session_open(Request *request, Value body) {
    Http *http = request_http(request);
    const char *token = value_string(value_member(body, "token"));
    char session[65];
    Issues issues;
    issues_init(&issues);
    keys_check(body, members, &issues);
    if (token == NULL)
        issues_add_at(&issues, "/token", "must be the server's token, a string");
    if (issues_any(&issues)) {
        answer_issues(request, 422, &issues);
    } else if (!http_token_matches(http, token)) {
        answer_header(request, "WWW-Authenticate", "Bearer");
        answer_problem(request, 401, "This is not the server's token.");
    } else {
        http_session_open(http, session);
        answer_header(request, "Set-Cookie",
                      HTTP_SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000",
                      session);
        answer_empty(request, 204);
    }
    issues_finish(&issues);
}

static void session_post(Request *request) {
    Document *document = body_parse(request, NULL, true);
    if (document != NULL)
        session_open(request, document_root(document));
    document_destroy(document);
}

static void session_delete(Request *request) {
    http_session_close(request);
    answer_header(request, "Set-Cookie",
                  HTTP_SESSION_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    answer_empty(request, 204);
}

static const int post_errors[] = {400, 413, 415, 422, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/session",
     .tag = "service",
     .summary = "Trade the token for the page's cookie",
     .accepts = http_accepts_json,
     .request_schema = "SessionInput",
     .max_body = 4096,
     .status = 204,
     .errors = post_errors,
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = session_post},
    {.method = "DELETE",
     .path = "/v1/session",
     .tag = "service",
     .summary = "End the page's session",
     .status = 204,
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = session_delete},
};

const RouteGroup session_routes = {"session", NULL, routes, ARRAY_LENGTH(routes)};
