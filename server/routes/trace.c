// One cycle of training with every number, in double precision: nothing is kept.
#include "core/base/error.h"
#include "core/train/trace.h"
#include "server/routes/common.h"

static void trace_answer(Request *request, const Document *document) {
    Issues issues;
    JsonOut out;
    issues_init(&issues);
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    int error = trace_run(document_root(document), &issues, &writer);
    if (error == OK)
        answer_json(request, 200, &out);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else
        answer_error(request, error, NULL);
    json_finish(&out);
    issues_finish(&issues);
}

static void trace_post(Request *request) {
    Document *document = body_parse(request, NULL, true);
    if (document != NULL)
        trace_answer(request, document);
    document_destroy(document);
}

static const int errors[] = {400, 413, 415, 422, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/trace",
     .tag = "checks",
     .summary = "One cycle of a small net with every number: forward, loss, backward, update, and "
                "each gradient checked",
     .accepts = http_accepts_json,
     .request_schema = "TraceInput",
     .status = 200,
     .response_schema = "Trace",
     .errors = errors,
     .flags = ROUTE_HEAVY,
     .handler = trace_post},
};

const RouteGroup trace_routes = {"checks", NULL, routes, ARRAY_LENGTH(routes)};
