// The HTTP border: requests in, answers out, and nothing about jobs or datasets.
//
//   I/O threads (libmicrohttpd, epoll)          handler threads (executor.h)
//   ──────────────────────────────────          ────────────────────────────
//   head   → guard, Host/Origin, route, token,
//            content type, size                  4xx are answered here and the connection closes
//   body   → memory, beyond 256 KiB a file
//   end    → suspend, hand over            ───→  handler(request) fills the answer, gzip
//   queue the answer                       ←───  resume
//
// So a handler may block on the store or compute without delaying anyone's bytes. Every route is a
// RouteDesc; from the same table come dispatch, 405 with Allow, 415, the checks of queries, and the
// OpenAPI document.
//
// What always holds: a handler answers exactly once; every error is application/problem+json;
// everything a client controls is bounded before it is allocated; every connection has an absolute
// deadline unless it waits for us.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/issues.h"
#include "server/base/json_out.h"
#include "server/base/source.h"

typedef struct Http Http;
typedef struct Request Request;

// ---- routes ----

typedef enum QueryType { QUERY_TEXT, QUERY_INTEGER, QUERY_NUMBER, QUERY_BOOLEAN } QueryType;

typedef struct QueryDesc {
    const char *name; // NULL ends a list
    QueryType type;
    int64_t minimum, maximum;   // QUERY_INTEGER, QUERY_NUMBER
    const char *keyword;        // this word is allowed instead of a number
    const char *const *choices; // QUERY_TEXT: NULL-terminated, or NULL: any text
    const char *help;
} QueryDesc;

enum RouteFlags {
    ROUTE_OPEN = 1,          // asks for no token
    ROUTE_INLINE = 2,        // the handler never blocks: it runs on the I/O thread
    ROUTE_HEAVY = 4,         // seconds of work: never more than half of the handler threads at once
    ROUTE_CREATES = 8,       // honours Idempotency-Key, answers with Location
    ROUTE_NOT_MODIFIED = 16, // answers 304 to If-None-Match
};

typedef struct RouteDesc {
    const char *method; // "GET" also serves HEAD
    const char *path;   // "/v1/jobs/{id}/events"
    const char *tag, *summary;
    const QueryDesc *query;     // NULL: takes none
    const char *const *accepts; // content types of the body, NULL-terminated; NULL: takes no body
    const char *request_schema; // of JSON: name in the OpenAPI document's schemas; NULL: none
    const char *const *other_schemas; // {content type, name of a schema, …, NULL} of what else it
                                      // accepts; NULL: strings
    bool body_optional;
    size_t max_body; // 0: the server's
    int status;      // of success
    const char *const
        *produces; // content types of success, NULL-terminated; NULL: application/json
    const char *response_schema; // NULL: no body, or not JSON
    const char
        *dry_run_schema; // of the 200 with which it answers ?dry_run=true; NULL: it has no dry run
    const int *errors;   // statuses beyond those that any route has, ended by 0; NULL: none
    unsigned flags;
    void (*handler)(Request *request);
    // Asked once the body is there: whether this request takes well under a millisecond and waits for nothing. Then it is
    // handled on the I/O thread, which spares two changes of threads. NULL: never.
    bool (*quick)(const Request *request);
} RouteDesc;

typedef struct RouteGroup { // a resource: the routes of one file
    const char *name, *summary;
    const RouteDesc *routes; // [count]
    size_t count;
} RouteGroup;

extern const char *const http_accepts_json[]; // application/json alone

// ---- the server ----

typedef struct HttpOptions {
    const char *listen; // "127.0.0.1:8080", "[::1]:0", "localhost:8080"
    const char *const
        *allow_hosts;  // more names for the Host allow-list, NULL-terminated; NULL: none
    const char *token; // NULL: no token is asked for
    size_t max_body;
    int64_t max_connections; // of one address; 0: 256, and of loopback, where a proxy stands, any
    const RouteGroup *const *groups; // NULL-terminated; lives as long as the server
    void *context;                   // for request_context
} HttpOptions;

// Listening, not yet answering: so that the address is known, and refused, before anything else
// starts. ERR_INVALID: not an address; ERR_CONFLICT: in use; ERR_IO. `why` gets the reason.
int http_create(const HttpOptions *options, char why[256], Http **ret_http);
bool http_is_loopback(const Http *http);
const char *http_address(const Http *http);         // "http://127.0.0.1:8080", with the real port
void http_set_token(Http *http, const char *token); // before http_start
// `directory`: descriptor of the data directory; big bodies lie unlinked in its tmp/.
int http_start(Http *http, int directory);
// From now on everything that would change something is answered 503; reading goes on.
void http_drain(Http *http);
bool http_draining(const Http *http);
// Requests, latencies, connections and streams, as Prometheus reads them.
void http_metrics(const Http *http, Text *out);
// Stops accepting, ends streams, lets requests under way be answered (at most 3 s), then closes.
// False: some handler is still at work, and the server stays as it is. Takes NULL.
bool http_destroy(Http *http);

// ---- a handler's view of its request ----

void *request_context(const Request *request);
Http *request_http(const Request *request);
const RouteDesc *request_route(const Request *request);
const char *request_method(const Request *request);
const char *request_target(const Request *request); // as sent, with its query
const char *request_param(const Request *request,
                          const char *name); // "{id}" of the path, decoded; never NULL
const char *request_header(const Request *request, const char *name); // NULL: absent
// Queries are checked against the route's table before the handler runs, so these cannot fail.
const char *request_query(const Request *request, const char *name); // NULL: absent
int64_t request_query_integer(const Request *request, const char *name,
                              int64_t fallback); // fallback for its keyword too
bool request_query_boolean(const Request *request, const char *name); // absent: false
const char *request_body(const Request *request,
                         size_t *ret_length); // never NULL; not NUL-terminated
// The same for who walks over all of it, however large.
Source request_source(const Request *request);
size_t request_body_limit(const Request *request); // bytes that a body may have here
const char *
request_content_type(const Request *request); // without parameters, lower-case; "" without a body
// Which of the route's content types the client prefers by Accept (quality, then order); the first
// without one.
const char *request_preferred_type(const Request *request);

// Paging: limit (50, at most 500) and cursor, an id with this prefix. Answers 400 itself and
// returns ERR_INVALID.
typedef struct Page {
    int limit;
    const char *cursor; // NULL: from the newest
} Page;
int request_page(Request *request, const char *prefix, Page *ret_page);
#define PAGE_QUERIES                                                                               \
    {"limit", QUERY_INTEGER, 1, 500, NULL, NULL, "At most so many (50)."}, {                       \
        "cursor", QUERY_TEXT, 0, 0, NULL, NULL, "Where to go on: `next` of the page before."       \
    }

// ---- answers; the first one counts ----

void answer_header(Request *request, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_empty(Request *request, int status);
void answer_json(Request *request, int status, JsonOut *json); // takes its text
void answer_text(Request *request, int status, const char *content_type, Text *text); // takes it
void answer_copy(Request *request, int status, const char *content_type, const char *text);
void answer_static(Request *request, int status, const char *content_type, const void *data,
                   size_t length); // borrowed for ever
void answer_file(Request *request, const char *content_type,
                 int descriptor); // takes it; as long as the file is

// application/problem+json. `detail` is a sentence.
void answer_problem(Request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_issues(Request *request, int status,
                   const Issues *issues); // with "errors" and their pointers
// An error code as a problem: ERR_NOT_FOUND 404, ERR_CONFLICT 409, ERR_TOO_LARGE 413, ERR_NO_MEMORY
// and ERR_UNAVAILABLE 503, anything else 500 (logged). `what` is the sentence; NULL: error_text, and of
// ERR_UNAVAILABLE that the disk is full.
void answer_error(Request *request, int code, const char *what);

// A body that comes piece by piece, whenever there is something: next() is called on a handler
// thread, never twice at once, first at once, then after each stream_wake and each piece sent,
// every 15 s at the latest. What it adds to `out` is sent; setting *ret_end closes the stream after
// it. finish() is called once, when the stream is over or the client gone; from then on nobody may
// call stream_wake: it must have unsubscribed whoever does.
typedef struct Stream Stream;
typedef struct StreamSource {
    void *context;
    void (*next)(void *context, Text *out, bool *ret_end);
    void (*finish)(void *context);
    int64_t deadline; // time_monotonic at which next() is called in any case; 0: none
} StreamSource;
// Answers 503 (and finishes the source) when there are too many streams. Call stream_wake from any
// thread.
void answer_stream(Request *request, const char *content_type, const StreamSource *source,
                   Stream **ret_stream);
void stream_wake(Stream *stream);

// The handler of the page: the file of page_files.h at the request's path, or 404.
void page_answer(Request *request);

// ---- tokens ----

// Is this the token? Compared by its SHA-256, in constant time. True where none is asked for.
bool http_token_matches(const Http *http, const char *token);
// A session for the page: 64 hex digits for its cookie. The oldest goes when there are too many.
void http_session_open(Http *http, char text[65]);
void http_session_close(Request *request); // that of the request's cookie
#define HTTP_SESSION_COOKIE "backpropd_session"
