// The server itself: MHD's callbacks, the way of a request from its first line to its answer, and
// the clock.
//
// A request's phases: LINE → BODY → HANDLER → READY → ANSWERED. A refusal goes from LINE to
// ANSWERED at once and closes the connection, unless the body that comes is small enough to be read
// over.
#include "server/http/internal.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/exposition.h"
#include "server/base/log.h"
#include "server/base/time.h"
#include "server/http/acceptor.h"
#include "server/http/address.h"
#include "server/http/listen.h"
#include "server/http/page.h"

enum {
    READ_OVER_MAX = BODY_IN_MEMORY,
    LINGER_MS = 2000,
    STOP_MS = 3000,
    IO_STACK_BYTES = 2 << 20,
    SPARE = 64, // connections that libmicrohttpd may have beside those that are counted
};

static const RouteDesc page_route = {
    .method = "GET", .path = "/", .status = 200, .flags = ROUTE_OPEN, .handler = page_answer};

static Connection *connection_peer(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void peer_deadline(Connection *peer, int64_t milliseconds) {
    atomic_store(&peer->deadline, time_monotonic() + milliseconds);
}

// ---- a connection's life ----

// Whether this client has as many connections as it may. The caller holds connections_lock.
static bool address_full(const Http *http, const uint8_t address[16]) {
    int64_t limit = http->options.max_connections, count = 0;
    if (limit == 0 && address_is_loopback(address))
        return false;
    if (limit == 0)
        limit = HTTP_ADDRESS_CONNECTIONS;
    for (const Connection *peer = http->connections; peer != NULL && count < limit;
         peer = peer->next)
        count += memcmp(peer->address, address, sizeof peer->address) == 0;
    return count == limit;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    Http *http = context;
    Connection *peer;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int descriptor =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        peer = memory_new(Connection);
        int open = peer != NULL ? atomic_fetch_add(&http->open, 1) : 0;
        // Behind `open`, so that the acceptor never counts too few.
        atomic_fetch_add(&http->begun, 1);
        if (peer == NULL) { // its first request is refused for the same lack
            shutdown(descriptor, SHUT_RDWR);
            return;
        }
        peer->descriptor = descriptor;
        address_key(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
            peer->address);
        peer->reserve = open >= http->connections_max / 8 * 7;
        peer_deadline(peer, peer->reserve ? RESERVE_MS : HEADER_MS);
        pthread_mutex_lock(&http->connections_lock);
        if (address_full(http, peer->address)) {
            atomic_fetch_add(&http->cut, 1);
            shutdown(descriptor, SHUT_RDWR);
        }
        peer->next = http->connections;
        if (peer->next != NULL)
            peer->next->previous = peer;
        http->connections = peer;
        pthread_mutex_unlock(&http->connections_lock);
        *socket_context = peer;
    } else if ((peer = *socket_context) != NULL) {
        pthread_mutex_lock(&http->connections_lock); // the descriptor is still open: the clock
                                                     // never cuts a stranger
        if (peer->previous != NULL)
            peer->previous->next = peer->next;
        else
            http->connections = peer->next;
        if (peer->next != NULL)
            peer->next->previous = peer->previous;
        pthread_mutex_unlock(&http->connections_lock);
        atomic_fetch_sub(&http->open, 1);
        memory_free(peer);
        *socket_context = NULL;
    }
}

// Ends a connection whose client does not read. What the kernel still holds for it goes too: else it would stay until the client
// has read it, or for the minutes that the kernel tries.
static void cut_reader(int descriptor) {
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    shutdown(descriptor, SHUT_RDWR);
}

// Cuts whoever is past the deadline or does not read, and beats for the streams, once a second.
static void *clock_thread(void *context) {
    Http *http = context;
    pthread_mutex_lock(&http->connections_lock);
    while (http->clock_runs) {
        int64_t now = time_monotonic();
        bool stopping = atomic_load(&http->stopping);
        for (Connection *peer = http->connections; peer != NULL; peer = peer->next) {
            int64_t deadline = atomic_load(&peer->deadline);
            bool late = deadline != 0 && now > deadline;
            bool stalls = outflow_stalls(&peer->outflow, peer->descriptor, now);
            if (stalls)
                cut_reader(peer->descriptor);
            else if (late)
                shutdown(peer->descriptor, SHUT_RDWR);
            if (peer->stream != NULL)
                stream_tick(peer->stream, now, stopping || stalls || late);
        }
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += 1;
        pthread_cond_timedwait(&http->clock_stop, &http->connections_lock, &until);
    }
    pthread_mutex_unlock(&http->connections_lock);
    return NULL;
}

// ---- the head ----

static size_t keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text); // targets are taken apart by target.h, not by MHD
}

static void *on_request_line(void *context, const char *target, struct MHD_Connection *connection) {
    Request *request = memory_new(Request);
    Connection *peer = connection_peer(connection);
    if (request == NULL || peer == NULL) {
        memory_free(request);
        return NULL;
    }
    if (peer->used)
        peer_deadline(peer, HEADER_MS);
    request->http = context;
    request->connection = connection;
    request->peer = peer;
    request->raw_target = memory_string(target != NULL ? target : "");
    request->method = "";
    request->started = meter_clock();
    request->answer.descriptor = -1;
    body_init(&request->body, 0);
    atomic_init(&request->phase, PHASE_LINE);
    return request;
}

static bool accepts_gzip(const char *encodings) {
    if (encodings == NULL)
        return false;
    const char *gzip = strcasestr(encodings, "gzip");
    if (gzip == NULL)
        return false;
    gzip += 4 + strspn(gzip + 4, " \t");
    if (*gzip != ';')
        return true;
    gzip += 1 + strspn(gzip + 1, " \t");
    return strncasecmp(gzip, "q=", 2) != 0 || strtod(gzip + 2, NULL) > 0;
}

// Content-Type without parameters, lower-case.
static void content_type_read(const char *value, char type[64]) {
    size_t length = strcspn(value, "; \t");
    if (length > 63)
        length = 63;
    for (size_t i = 0; i < length; i++)
        type[i] = (char)tolower((unsigned char)value[i]);
    type[length] = '\0';
}

static bool route_accepts(const RouteDesc *route, const char *type) {
    for (const char *const *accepted = route->accepts; accepted != NULL && *accepted != NULL;
         accepted++)
        if (strcmp(*accepted, type) == 0)
            return true;
    return false;
}

static void refuse_content_type(Request *request) {
    Text list;
    text_init(&list);
    for (const char *const *type = request->route->accepts; type != NULL && *type != NULL; type++)
        text_add_format(&list, "%s%s", list.length > 0 ? ", " : "", *type);
    if (request->route->accepts == NULL)
        answer_problem(request, 415, "This route takes no body.");
    else
        answer_problem(request, 415, "This route takes %s, not \"%.60s\".", text_string(&list),
                       request->content_type);
    text_finish(&list);
}

static void refuse_method(Request *request) {
    Text allow;
    text_init(&allow);
    if (page_has(request->target.path))
        text_add(&allow, "GET, HEAD");
    else
        route_allow(request->http->options.groups, request->target.path, &allow);
    answer_header(request, "Allow", "%s", text_string(&allow));
    answer_problem(request, 405, "%s is not for this path; it takes %s.", request->method,
                   text_string(&allow));
    text_finish(&allow);
}

static bool changes_something(const char *method) {
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

// Finds the route; answers where there is none, or it is not for this client, or not now.
static void request_route_to(Request *request) {
    Http *http = request->http;
    RouteFound found;
    route_find(http->options.groups, request->method, request->target.path, &found);
    bool page = !found.known && page_has(request->target.path);
    if (page && !changes_something(request->method))
        found.route = &page_route;
    bool open = found.route != NULL && (found.route->flags & ROUTE_OPEN) != 0;
    if (!open && !auth_allows(&http->auth, request_header(request, "Authorization"),
                              request_header(request, "Cookie"))) {
        answer_header(request, "WWW-Authenticate", "Bearer");
        answer_problem(request, 401, "This needs the server's token: Authorization: Bearer TOKEN.");
    } else if (found.route == NULL && (found.known || page)) {
        refuse_method(request);
    } else if (found.route == NULL) {
        answer_problem(request, 404, "There is nothing at this path.");
    } else if (request->peer->reserve && !(found.route->flags & ROUTE_INLINE)) {
        answer_header(request, "Retry-After", "1");
        answer_problem(request, 503, "There are too many connections.");
    } else if (atomic_load(&http->draining) && changes_something(request->method)) {
        answer_header(request, "Retry-After", "10");
        answer_problem(request, 503, "The server is about to stop.");
    }
    request->route = found.route;
    request->params = found.params;
}

static void request_head(Request *request, const char *url, const char *method, const char *version,
                         HeadFacts *ret_facts) {
    Http *http = request->http;
    Headers headers;
    const char *why = NULL;
    request->method = method;
    request->head = strcmp(method, "HEAD") == 0;
    request->closes = true; // until the head is known to be sound
    if (request->raw_target == NULL) {
        answer_error(request, ERR_NO_MEMORY, NULL);
        return;
    }
    Refusal refusal = head_check(request, url, version, &headers, ret_facts);
    if (refusal.status == 0)
        refusal = guard_host(&http->hosts, ret_facts->host);
    if (refusal.status == 0 && changes_something(method))
        refusal = guard_origin(ret_facts->host, ret_facts->origin);
    if (refusal.status == 0) {
        int error = target_parse(request->raw_target, &request->target, &why);
        if (error == ERR_INVALID)
            refusal = (Refusal){400, why};
        else if (error != OK)
            answer_error(request, error, NULL);
    }
    if (refusal.status != 0)
        answer_problem(request, refusal.status, "Refused: %s.", refusal.detail);
    if (answered(request))
        return;
    request->closes = request->peer->reserve;
    request->accepts_gzip = accepts_gzip(request_header(request, "Accept-Encoding"));
    bool body = ret_facts->chunked || ret_facts->length > 0;
    const char *type = request_header(request, "Content-Type");
    if (body && type != NULL)
        content_type_read(type, request->content_type);
    request_route_to(request);
    if (answered(request))
        return;
    const RouteDesc *route = request->route;
    size_t limit = route->max_body > 0 && route->max_body < http->options.max_body
                       ? route->max_body
                       : http->options.max_body;
    if (body && !route_accepts(route, request->content_type)) {
        refuse_content_type(request);
    } else if (ret_facts->length > limit) {
        answer_problem(request, 413, "The body has %llu bytes; at most %zu are taken here.",
                       (unsigned long long)ret_facts->length, limit);
    } else {
        body_init(&request->body, limit);
        request_check_query(request);
    }
}

// ---- the answer ----

static void request_count(const Request *request) {
    meter_count(request->http->meter, request->route, request->answer.status,
                meter_clock() - request->started);
}

static enum MHD_Result request_answer(Request *request) {
    struct MHD_Response *response = answer_build(request);
    if (response == NULL)
        return MHD_NO;
    request_count(request);
    atomic_store(&request->phase, PHASE_ANSWERED);
    peer_deadline(request->peer, SLOW_MS + (int64_t)(request->answer.length / ANSWER_BYTES_PER_MS));
    enum MHD_Result queued =
        MHD_queue_response(request->connection, (unsigned)request->answer.status, response);
    MHD_destroy_response(response); // MHD keeps its own reference
    return queued;
}

// Runs on a handler thread while the connection is suspended.
static void request_run(Task *task) {
    Request *request = (Request *)task;
    Http *http = request->http;
    request->route->handler(request);
    if (!answered(request))
        answer_error(request, ERR_INTERNAL, NULL);
    if (request->answer.stream != NULL)
        stream_attach(request->answer.stream, request);
    atomic_store(&request->phase, PHASE_READY);
    MHD_resume_connection(request->connection); // from here on the request may be gone
    atomic_fetch_sub(&http->busy, 1);
}

static enum MHD_Result request_hand_over(Request *request) {
    Http *http = request->http;
    const RouteDesc *route = request->route;
    if ((route->flags & ROUTE_INLINE) || (route->quick != NULL && route->quick(request))) {
        route->handler(request);
        if (!answered(request))
            answer_error(request, ERR_INTERNAL, NULL);
        return request_answer(request);
    }
    request->task.run = request_run;
    bool heavy = (route->flags & ROUTE_HEAVY) || request->body.length > BODY_IN_MEMORY;
    request->task.lane = heavy ? LANE_HEAVY : LANE_REQUEST;
    atomic_store(&request->phase, PHASE_HANDLER);
    atomic_store(&request->peer->deadline, 0);
    atomic_fetch_add(&http->busy, 1);
    MHD_suspend_connection(request->connection);
    if (!executor_submit(http->executor, &request->task, false)) {
        answer_header(request, "Retry-After", "1");
        answer_problem(request, 503, "Too many requests wait already.");
        atomic_store(&request->phase, PHASE_READY);
        atomic_fetch_sub(&http->busy, 1);
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

// ---- the body ----

// Answers while the body still comes. MHD takes no answer in the middle of a body, and after one
// before it closes at once, which resets the connection before a client that is still sending has
// read anything. So the answer goes out by hand, and what comes is read over for a while.
static void request_refuse_amid_body(Request *request) {
    body_finish(&request->body);
    answer_send(request);
    request_count(request);
    shutdown(request->peer->descriptor, SHUT_WR);
    peer_deadline(request->peer, LINGER_MS);
    request->sent = true;
}

static void request_take(Request *request, const char *data, size_t length) {
    if (answered(request))
        return; // read over
    int error = body_add(&request->body, request->http->directory, data, length);
    if (error != OK) {
        answer_error(request, error,
                     error == ERR_TOO_LARGE ? "The body is larger than what is taken here." : NULL);
        request_refuse_amid_body(request);
        return;
    }
    // A least rate, and no pause beyond IDLE_MS.
    int64_t now = time_monotonic();
    int64_t fair =
        request->body_started + SLOW_MS + (int64_t)(request->body.length / BODY_BYTES_PER_MS);
    atomic_store(&request->peer->deadline, fair < now + IDLE_MS ? fair : now + IDLE_MS);
}

static enum MHD_Result request_ended(Request *request) {
    if (!answered(request)) {
        int error = body_end(&request->body);
        if (error != OK)
            answer_error(request, error, NULL);
        else if (request->body.length == 0 && request->route->accepts != NULL &&
                 !request->route->body_optional)
            answer_problem(request, 400, "This route needs a body.");
    }
    if (!answered(request))
        return request_hand_over(request);
    return request->sent ? MHD_NO : request_answer(request);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_length, void **request_context_) {
    Request *request = *request_context_;
    (void)context;
    (void)connection;
    if (request == NULL)
        return MHD_NO;
    switch (atomic_load(&request->phase)) {
    case PHASE_LINE: {
        HeadFacts facts = {0};
        request_head(request, url, method, version, &facts);
        // A small body is read over, which keeps the connection; a large one is not waited for, nor
        // is one that has not been sent yet.
        bool large = facts.chunked || facts.length > READ_OVER_MAX || request->answer.status == 413;
        bool waits = request_header(request, "Expect") != NULL;
        if (answered(request) && (request->closes || (large && waits))) {
            request->closes = true;
            return request_answer(request);
        }
        atomic_store(&request->phase, PHASE_BODY);
        if (answered(request) && large) {
            request_refuse_amid_body(request);
            return MHD_YES;
        }
        request->body_started = time_monotonic();
        peer_deadline(request->peer, SLOW_MS);
        return MHD_YES;
    }
    case PHASE_BODY:
        if (*data_length == 0)
            return request_ended(request);
        request_take(request, data, *data_length);
        *data_length = 0;
        return MHD_YES;
    case PHASE_READY:
        return request_answer(request);
    default: // MHD calls again while a suspension takes effect
        return MHD_YES;
    }
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_context_,
                         enum MHD_RequestTerminationCode code) {
    Request *request = *request_context_;
    (void)context;
    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    request->peer->used = true;
    peer_deadline(request->peer, IDLE_MS);
    request_destroy(request);
    *request_context_ = NULL;
}

// ---- the server's life ----

static int hosts_fill(Http *http, const Listener *listener) {
    static const char *const always[] = {"localhost", "127.0.0.1", "[::1]"};
    char host[256], port[8], name[300];
    int error = OK;
    for (size_t i = 0; i < ARRAY_LENGTH(always) && error == OK; i++)
        error = host_list_add(&http->hosts, always[i]);
    if (error == OK && !listener->wildcard) {
        snprintf(name, sizeof name, listener->ipv6 ? "[%s]" : "%s", listener->host);
        error = host_list_add(&http->hosts, name);
        if (error == OK && listener_split(http->options.listen, host, port) &&
            strchr(host, ':') == NULL && host[0] != '\0')
            error = host_list_add(&http->hosts, host);
    }
    for (const char *const *allow = http->options.allow_hosts;
         allow != NULL && *allow != NULL && error == OK; allow++)
        error = host_list_add(&http->hosts, *allow);
    return error;
}

int http_create(const HttpOptions *options, char why[256], Http **ret_http) {
    Listener listener;
    int error = listener_open(options->listen, &listener, why, 256);
    if (error != OK)
        return error;
    Http *http = memory_new(Http);
    if (http == NULL) {
        close(listener.descriptor);
        return ERR_NO_MEMORY;
    }
    http->options = *options;
    http->listener = listener.descriptor;
    http->loopback = listener.loopback;
    snprintf(http->address, sizeof http->address, listener.ipv6 ? "http://[%s]:%d" : "http://%s:%d",
             listener.wildcard ? (listener.ipv6 ? "::1" : "127.0.0.1") : listener.host,
             listener.port);
    auth_init(&http->auth, options->token);
    pthread_mutex_init(&http->connections_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&http->clock_stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    error = hosts_fill(http, &listener);
    if (error != OK)
        snprintf(why, 256, "an allowed host is not a host name");
    if (error == OK && (error = meter_create(options->groups, &http->meter)) != OK)
        snprintf(why, 256, "%s", error_text(error));
    if (error != OK) {
        http_destroy(http);
        return error;
    }
    *ret_http = http;
    return OK;
}

bool http_is_loopback(const Http *http) {
    return http->loopback;
}

const char *http_address(const Http *http) {
    return http->address;
}

void http_set_token(Http *http, const char *token) {
    auth_set_token(&http->auth, token);
}

int http_start(Http *http, int directory) {
    http->directory = directory;
    http->connections_max =
        connections_fitting(HTTP_CONNECTIONS_MIN, HTTP_CONNECTIONS_MAX, HTTP_OTHER_FILES);
    int error = executor_create(HTTP_HANDLER_THREADS, HTTP_QUEUE_MAX, &http->executor);
    if (error != OK)
        return error;
    http->clock_runs = true;
    if (pthread_create(&http->clock, NULL, clock_thread, http) != 0) {
        http->clock_runs = false;
        return ERR_UNAVAILABLE;
    }
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
            MHD_USE_NO_LISTEN_SOCKET,
        0, NULL, NULL, on_request, http, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_IO_THREADS,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)IO_STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)((http->connections_max + SPARE) * HTTP_IO_THREADS),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_URI_LOG_CALLBACK,
        on_request_line, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, http,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_END);
    if (http->daemon == NULL)
        return ERR_UNAVAILABLE;
    return acceptor_create(http->daemon, http->listener, &http->open, &http->begun,
                           http->connections_max, &http->acceptor);
}

void http_drain(Http *http) {
    atomic_store(&http->draining, true);
}

bool http_draining(const Http *http) {
    return atomic_load(&http->draining);
}

void http_metrics(const Http *http, Text *out) {
    meter_write(http->meter, out);
    exposition_single(out, "backpropd_http_connections", "gauge", "Open connections.",
                      atomic_load(&http->open));
    exposition_single(out, "backpropd_http_connections_cut_total", "counter",
                      "Connections beyond what one address may have.",
                      (double)atomic_load(&http->cut));
    exposition_single(out, "backpropd_http_streams", "gauge",
                      "Answers that come piece by piece: viewers and waiting scripts.",
                      atomic_load(&http->streams));
}

static void clock_end(Http *http) {
    if (!http->clock_runs)
        return;
    pthread_mutex_lock(&http->connections_lock);
    http->clock_runs = false;
    pthread_cond_signal(&http->clock_stop);
    pthread_mutex_unlock(&http->connections_lock);
    pthread_join(http->clock, NULL);
}

// Waits until no request is with a handler and no stream is open.
static bool http_settle(Http *http) {
    int64_t until = time_monotonic() + STOP_MS;
    while (atomic_load(&http->busy) > 0 || atomic_load(&http->streams) > 0) {
        if (time_monotonic() > until)
            return false;
        pthread_mutex_lock(&http->connections_lock);
        pthread_cond_signal(&http->clock_stop); // a beat now
        pthread_mutex_unlock(&http->connections_lock);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return true;
}

bool http_destroy(Http *http) {
    if (http == NULL)
        return true;
    http_drain(http);
    atomic_store(&http->stopping, true);
    if (http->daemon != NULL) {
        acceptor_destroy(TAKE(http->acceptor));
        if (!http_settle(http)) { // MHD cannot close suspended connections
            log_warning("some requests were still under way at the end");
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); // the last answers leave
        clock_end(http);
        MHD_stop_daemon(http->daemon);
    }
    clock_end(http);
    close(http->listener);
    executor_destroy(http->executor);
    meter_destroy(http->meter);
    host_list_finish(&http->hosts);
    auth_finish(&http->auth);
    pthread_cond_destroy(&http->clock_stop);
    pthread_mutex_destroy(&http->connections_lock);
    memory_free(http);
    return true;
}
