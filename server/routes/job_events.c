// A job's events, as they are recorded: Server-Sent Events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). An event's id is its record's
// seq, so Last-Event-ID goes on without a gap, and replay and live are the same reading.
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

enum { SILENCE_MS = 14000 };

typedef struct Viewer {
    const Services *services;
    LiveWatch *watch;
    char job[ID_TEXT];
    Language language;
    int64_t seq;   // of the last record sent
    int64_t spoke; // time_monotonic of the last thing sent; 0: nothing yet
} Viewer;

static bool job_is_gone(Viewer *viewer) {
    JobRow row;
    int error = jobs_get(viewer->services->store, viewer->job, &row);
    if (error == OK)
        job_row_finish(&row);
    return error == ERR_NOT_FOUND;
}

// What is new since the last call; after a long silence a comment, by which one also notices that
// the viewer has gone. An error ends the stream: the viewer comes back with its Last-Event-ID.
static void viewer_next(void *context, Text *out, bool *ret_end) {
    Viewer *viewer = context;
    bool end = false;
    if (viewer->spoke == 0)
        text_add(out, "retry: 2000\n\n");
    int error =
        event_batches_read(viewer->services->event_batches, viewer->services->store, viewer->job,
                           viewer->language, viewer->seq, out, &viewer->seq, &end);
    if (out->length == 0 && time_monotonic() - viewer->spoke >= SILENCE_MS) {
        end = job_is_gone(viewer);
        text_add(out, ": \n\n");
    }
    if (out->length > 0)
        viewer->spoke = time_monotonic();
    *ret_end = end || error != OK;
}

static void viewer_finish(void *context) {
    Viewer *viewer = context;
    if (viewer->watch != NULL)
        live_unsubscribe(viewer->services->pool, viewer->watch);
    memory_free(viewer);
}

static void viewer_wake(void *stream) {
    stream_wake(stream);
}

static bool last_seq(const Request *request, int64_t *ret_seq) {
    const char *id = request_header(request, "Last-Event-ID");
    *ret_seq = request_query_integer(request, "after", 0);
    if (id == NULL || id[0] == '\0')
        return true;
    if (strlen(id) > 18 || strspn(id, "0123456789") != strlen(id))
        return false;
    *ret_seq = strtoll(id, NULL, 10);
    return true;
}

static void events_get(Request *request) {
    int64_t seq;
    JobRow row;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    Viewer *viewer = memory_new(Viewer);
    if (!last_seq(request, &seq)) {
        answer_problem(request, 400, "Last-Event-ID must be the id of an event of this stream.");
        memory_free(viewer);
    } else if (viewer == NULL) {
        answer_error(request, ERR_NO_MEMORY, NULL);
    } else {
        viewer->services = request_services(request);
        viewer->seq = seq == 0 && request_query_boolean(request, "live") && row.last_seq > 0
                          ? row.last_seq - 1
                          : seq;
        viewer->language = request_language(request);
        memcpy(viewer->job, row.id, sizeof viewer->job);
        StreamSource source = {viewer, viewer_next, viewer_finish, 0};
        Stream *stream;
        answer_header(request, "Cache-Control", "no-store");
        answer_language(request, viewer->language);
        answer_stream(request, "text/event-stream", &source, &stream);
        // A job that has ended has nothing to wait for; without a watch one looks every 15 s.
        if (stream != NULL && !job_ended(&row) &&
            live_subscribe(viewer->services->pool, row.id, viewer_wake, stream, &viewer->watch) !=
                OK)
            viewer->watch = NULL;
    }
    job_row_finish(&row);
}

static const char *const languages[] = {"en", "ja", NULL};
static const QueryDesc events_query[] = {
    {"after", QUERY_INTEGER, 0, (int64_t)1 << 53, NULL, NULL,
     "Begin after the event of this id; Last-Event-ID goes before it."},
    {"live", QUERY_BOOLEAN, 0, 0, NULL, NULL,
     "Begin with the newest event, not with the first; Last-Event-ID goes before it."},
    {"lang", QUERY_TEXT, 0, 0, NULL, languages,
     "The findings' language, for a browser's EventSource, which sets no header; by default "
     "Accept-Language's."},
    {0},
};
static const char *const produces_events[] = {"text/event-stream", NULL};
static const int events_errors[] = {400, 404, 503, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/events",
     .tag = "jobs",
     .summary =
         "Server-Sent Events status, metrics, gradients, finding, end; Last-Event-ID goes on",
     .query = events_query,
     .status = 200,
     .produces = produces_events,
     .errors = events_errors,
     .handler = events_get},
};

const RouteGroup job_events_routes = {"job_events", NULL, routes, ARRAY_LENGTH(routes)};
