// `backpropd serve`: opens the store, starts the pool and HTTP, waits for a signal, drains.
//
// Order: listen (an address in use is told before anything is touched), store (one server a
// folder), token, pool, HTTP. On SIGTERM or SIGINT: what would change something is answered 503,
// running jobs checkpoint and go back to the queue, streams end, the store commits. A second signal
// ends the program at once. A store that has failed ends it with 1.
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tokens/tokenizer.h"
#include "server/base/log.h"
#include "server/base/settings.h"
#include "server/http/http.h"
#include "server/http/token.h"
#include "server/main/commands.h"
#include "server/routes/drifts.h"
#include "server/routes/routes.h"

enum {
    WATCH_SECONDS = 1,
    EXPIRE_MILLISECONDS = 3600 * 1000,
    EXPIRE_CHANGES = 20, // in one go, so that a signal is not kept waiting
    DRIFT_FLUSH_MILLISECONDS = 10000,
};

typedef struct Server {
    Settings settings;
    Services services;
    Http *http;
    Tokenizer words; // never used: it keeps the locale loaded (tokenizer.h)
    char token[TOKEN_TEXT];
} Server;

static int server_listen(Server *server) {
    const Settings *settings = &server->settings;
    char why[256];
    HttpOptions options = {.listen = settings->listen,
                           .allow_hosts = settings->allow_hosts,
                           .max_body = (size_t)settings->max_body,
                           .max_connections = settings->max_connections,
                           .groups = route_groups,
                           .context = &server->services};
    int error = http_create(&options, why, &server->http);
    if (error != OK)
        log_error("cannot listen: %s", why);
    return error;
}

static int server_open_store(Server *server) {
    const char *data = server->settings.data;
    int error = store_open(data, &server->services.store);
    if (error == ERR_CONFLICT)
        log_error("%s is in use by another server, or was written by a newer one", data);
    else if (error != OK)
        log_error("cannot open %s: %s", data, error_text(error));
    return error;
}

// The token of --token-file; without one none on loopback, else DIR/token, made at the first start.
static int server_token(Server *server) {
    int directory = store_directory(server->services.store);
    const char *file = server->settings.token_file;
    bool made = false;
    if (file == NULL && http_is_loopback(server->http))
        return OK;
    int error = file != NULL ? token_read(AT_FDCWD, file, server->token)
                             : token_read_or_make(directory, "token", server->token, &made);
    if (error == ERR_INVALID)
        log_error("the token in %s must have 16 to %d printable characters",
                  file != NULL ? file : "DIR/token", TOKEN_TEXT - 1);
    else if (error != OK)
        log_error("cannot read the token: %s", error_text(error));
    else if (file == NULL)
        log_info("%s the token in %s/token; every request must bear it", made ? "made" : "using",
                 store_path(server->services.store));
    if (error == OK)
        http_set_token(server->http, server->token);
    explicit_bzero(server->token, sizeof server->token);
    return error;
}

static int server_write_openapi(Services *services) {
    JsonOut out;
    json_init(&out);
    openapi_write(&out);
    services->openapi = out.text;
    return out.text.failed ? ERR_NO_MEMORY : OK;
}

static int server_start(Server *server) {
    Services *services = &server->services;
    services->pool_options = (PoolOptions){.workers = (int)server->settings.workers,
                                           .threads = (int)server->settings.threads,
                                           .max_queue = server->settings.max_queue,
                                           .lease = server->settings.lease_seconds * 1000};
    services->started_at = time_monotonic();
    int error = server_listen(server);
    if (error == OK)
        error = server_open_store(server);
    if (error == OK)
        error = server_token(server);
    if (error != OK)
        return error;
    tokenizer_init(&server->words, TOKENIZER_WORD, NULL,
                   NULL); // where there is none, its users are told
    error = predictors_create(store_directory(services->store), &services->predictors);
    if (error == OK)
        error = drifts_create(services->store, &services->drifts);
    if (error == OK)
        error = event_batches_create(&services->event_batches);
    if (error == OK)
        error = server_write_openapi(services);
    if (error == OK)
        error = pool_start(services->store, &services->pool_options, &services->pool);
    if (error == OK)
        error = http_start(server->http, store_directory(services->store));
    if (error != OK)
        log_error("cannot start: %s", error_text(error));
    return error;
}

// What --keep-days says is too old goes, at the start and every hour.
static void expire_when_due(const Server *server, int64_t *due) {
    int64_t keep = server->settings.keep_days * 24 * 3600 * 1000, jobs = 0, now = time_monotonic();
    if (keep == 0 || now < *due)
        return;
    int result = store_expire(server->services.store, time_now() - keep, EXPIRE_CHANGES, &jobs);
    if (jobs > 0)
        log_info("forgot %lld jobs that ended more than %lld days ago", (long long)jobs,
                 (long long)server->settings.keep_days);
    if (result == OK) // else there is more, or the disk is full: soon again
        *due = now + EXPIRE_MILLISECONDS;
}

// Returns at a signal, or when the store has failed.
static void server_watch(const Server *server, const sigset_t *signals) {
    const struct timespec pause = {.tv_sec = WATCH_SECONDS};
    int64_t expire_due = 0;
    int64_t flush_at = time_monotonic() + DRIFT_FLUSH_MILLISECONDS;
    for (;;) {
        expire_when_due(server, &expire_due);
        int signal_number = sigtimedwait(signals, NULL, &pause);
        if (signal_number > 0) {
            log_info("%s: draining", strsignal(signal_number));
            return;
        }
        if (store_failed(server->services.store)) {
            log_error("the store has failed: nothing more can be acknowledged");
            return;
        }
        if (time_monotonic() >= flush_at) {
            drifts_flush(server->services.drifts);
            flush_at = time_monotonic() + DRIFT_FLUSH_MILLISECONDS;
        }
    }
}

// False: a handler is still at work with all of it after the time that it had. Then the process ends
// without waiting for it: whatever was acknowledged is committed.
static bool server_stop(Server *server) {
    if (server->http != NULL)
        http_drain(server->http);
    pool_drain(server->services.pool);
    if (!http_destroy(server->http))
        return false;
    pool_stop(server->services.pool);
    drifts_destroy(server->services.drifts);
    predictors_destroy(server->services.predictors);
    event_batches_destroy(server->services.event_batches);
    text_finish(&server->services.openapi);
    store_close(server->services.store);
    settings_finish(&server->settings);
    tokenizer_finish(&server->words);
    return true;
}

static void usage_print(void) {
    Text help;
    text_init(&help);
    settings_help(&help);
    printf(
        "usage: backpropd serve [FLAG…]\n\n%s\nEach flag stands in the environment too; the flag "
        "wins.\n",
        text_string(&help));
    text_finish(&help);
}

// To standard output; in a log of JSON it is a line like the others.
static void started_tell(const Server *server, bool json) {
    Text text;
    text_init(&text);
    text_add_format(&text, "backpropd %s listens on %s (data in %s)", BACKPROPD_VERSION,
                    http_address(server->http), server->settings.data);
    if (json)
        log_info("%s", text_string(&text));
    else
        puts(text_string(&text));
    fflush(stdout);
    text_finish(&text);
}

int command_serve(int argc, char **argv) {
    Server server = {0};
    Text mistakes;
    bool help;
    sigset_t signals;
    text_init(&mistakes);
    int error = settings_read(argc, argv, &server.settings, &help, &mistakes);
    fputs(text_string(&mistakes), stderr);
    text_finish(&mistakes);
    if (error != OK) {
        fprintf(stderr, "`backpropd serve --help` names all flags\n");
        return EXIT_USAGE;
    }
    if (help) {
        usage_print();
        settings_finish(&server.settings);
        return EXIT_DONE;
    }
    bool json = strcmp(server.settings.log_format, "json") == 0;
    log_as_json(json);
    setenv(LOG_FORMAT_VARIABLE, server.settings.log_format, 1); // for the workers
    mallopt(
        M_ARENA_MAX,
        2); // many threads, few of them busy: memory goes back instead of lying in each one's arena
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals,
                    NULL); // inherited by every thread: only this one takes them
    error = server_start(&server);
    if (error == OK) {
        started_tell(&server, json);
        server_watch(&server, &signals);
        pthread_sigmask(SIG_UNBLOCK, &signals, NULL); // a second signal ends at once
        error = store_failed(server.services.store) ? ERR_IO : OK;
    }
    int status = error == OK ? EXIT_DONE : EXIT_REFUSED;
    if (!server_stop(&server))
        _exit(status);
    return status;
}
