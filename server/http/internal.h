// What the files of this folder share. Nobody else includes it.
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <microhttpd.h>
#include "server/http/auth.h"
#include "server/http/body.h"
#include "server/http/executor.h"
#include "server/http/guard.h"
#include "server/http/http.h"
#include "server/http/meter.h"
#include "server/http/outflow.h"
#include "server/http/route.h"
#include "server/http/target.h"

enum {
    HTTP_IO_THREADS = 2,
    HTTP_HANDLER_THREADS = 8,
    // Connections by class: of all that there may be, the last eighth is for health alone, and streams
    // take half at most. Fewer than so many where the process may not open as many files.
    HTTP_CONNECTIONS_MAX = 4096,
    HTTP_ADDRESS_CONNECTIONS = 256, // of one address beyond loopback, unless the settings say
    HTTP_CONNECTIONS_MIN = 64,
    HTTP_OTHER_FILES = 512,            // database, workers, datasets, bodies
    HTTP_QUEUE_MAX = 1024,             // requests that wait for a handler thread
    HTTP_CONNECTION_MEMORY = 32 << 10, // head of a request, and buffers
    HTTP_HEADERS_MAX = 64,
    HTTP_GZIP_FROM = 1024,
    HEADER_MS = 10000,
    RESERVE_MS = 1000, // of a connection in the reserve
    IDLE_MS = 30000,
    SLOW_MS = 12000, // grace before the least rates below count
    BODY_BYTES_PER_MS = 1,
    ANSWER_BYTES_PER_MS = 16,
    STREAM_BEAT_MS = 15000,
};

// A client's connection, as the clock sees it. `deadline` is absolute (time_monotonic): whoever
// passes it is cut; 0 while the connection waits for us.
typedef struct Connection {
    struct Connection *next, *previous; // in Http.connections
    int descriptor;
    uint8_t address[16]; // of the client, as IPv6; of IPv6 itself the network, its first 64 bits
    bool used;           // a request went before
    bool reserve;        // made when only the reserve was left
    atomic_llong deadline;
    Outflow outflow; // the clock's own
    Stream *stream;  // guarded by connections_lock
} Connection;

struct Http {
    HttpOptions options;
    int directory;
    char address[128];
    bool loopback;
    int listener;
    HostList hosts;
    Auth auth;
    struct MHD_Daemon *daemon;
    struct Acceptor *acceptor;
    Executor *executor;
    Meter *meter;
    atomic_bool draining, stopping;
    atomic_int streams, busy; // open streams; requests that are with a handler
    atomic_int open, begun;   // connections; those there ever were
    atomic_llong cut;         // connections beyond what one address may have
    int connections_max;

    pthread_mutex_t connections_lock; // guards the list, and the streams in it
    Connection *connections;
    pthread_cond_t clock_stop;
    pthread_t clock;
    bool clock_runs;
};

typedef enum RequestPhase {
    PHASE_LINE,     // the request line has come
    PHASE_BODY,     // the head was accepted, the body comes
    PHASE_HANDLER,  // suspended, with a handler thread
    PHASE_READY,    // the answer waits for the I/O thread
    PHASE_ANSWERED, // queued
} RequestPhase;

enum { ANSWER_HEADERS_MAX = 12 };

typedef struct Answer {
    int status; // 0: none yet
    const char *content_type;
    Text text;        // owned, or
    const void *data; // borrowed, or
    size_t length;
    int descriptor;    // owned, or −1, or
    Stream *stream;    // owned by the MHD response
    bool lacks_header; // for want of memory: then it is not sent at all
    size_t headers;
    struct {
        char *name, *value;
    } header[ANSWER_HEADERS_MAX];
} Answer;

struct Request {
    Task task; // of the executor; first
    Http *http;
    struct MHD_Connection *connection;
    Connection *peer;
    atomic_int phase;
    char *raw_target; // as it came, with the query; NULL without memory
    const char *method;
    bool head, accepts_gzip, closes;
    bool sent; // the answer went out by hand: what still comes is read over
    Target target;
    const RouteDesc *route;
    RouteParams params;
    char content_type[64];
    Body body;
    int64_t started; // meter_clock
    int64_t body_started;
    Answer answer;
};

typedef struct Headers {
    Header item[HTTP_HEADERS_MAX];
    size_t count;
    bool overflow;
} Headers;

void request_destroy(Request *request);
// Holds the request's head against the guard and against what of it libmicrohttpd does not tell. The
// facts point into the headers.
Refusal head_check(const Request *request, const char *url, const char *version,
                   Headers *ret_headers, HeadFacts *ret_facts);
// The answer as MHD sends it, with every header. NULL without memory.
struct MHD_Response *answer_build(Request *request);
void answer_finish(Answer *answer);
bool answered(const Request *request);
// Writes a problem to the socket by hand, as far as it takes it at once, and says that the connection
// closes.
void answer_send(Request *request);

// Checks the query against the route's table; answers 400 and returns false.
bool request_check_query(Request *request);

struct MHD_Response *stream_response(Stream *stream);
void stream_destroy(Stream *stream);                  // of one that was never sent
void stream_attach(Stream *stream, Request *request); // to the connection, before it is sent
void stream_tick(Stream *stream, int64_t now, bool over);
