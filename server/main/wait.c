// `backpropd wait`: for scripts. It returns when a job of a server has ended, and its exit status says how.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/time.h"
#include "server/json/document.h"
#include "server/main/client.h"
#include "server/main/commands.h"

static const char usage[] =
    "usage: backpropd wait JOB [--timeout SECONDS] [--json] [--server URL] [--token-file FILE]\n"
    "Waits until the job has ended, and prints how. While the server is away, for instance to be\n"
    "started again, it waits for that too, a minute at most. The exit status:\n"
    "  0  succeeded\n"
    "  1  failed\n"
    "  2  the call is wrong\n"
    "  3  cancelled\n"
    "  4  not ended within SECONDS (it goes on)\n"
    "  5  no server, or it refused: no such job, a wrong token";

enum {
    ASK_SECONDS = 60,   // of one request
    GRACE_SECONDS = 30, // that its answer may come later
    AWAY_SECONDS = 60,  // without a server, once it had answered
    PAUSE_NANOSECONDS = 500000000,
};

typedef struct WaitOptions {
    const char *job, *server, *token_file;
    int64_t seconds; // −1: for ever
    bool json;
} WaitOptions;

static bool options_read(int argc, char **argv, WaitOptions *options) {
    *options = (WaitOptions){.seconds = -1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        char *end;
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (strcmp(argv[i], "--server") == 0 && value != NULL) {
            options->server = argv[++i];
        } else if (strcmp(argv[i], "--token-file") == 0 && value != NULL) {
            options->token_file = argv[++i];
        } else if (strcmp(argv[i], "--timeout") == 0 && value != NULL) {
            options->seconds = strtoll(argv[++i], &end, 10);
            if (*end != '\0' || end == value || options->seconds < 0 ||
                options->seconds > INT32_MAX)
                return false;
        } else if (argv[i][0] != '-' && options->job == NULL) {
            options->job = argv[i];
        } else {
            return false;
        }
    }
    return options->job != NULL && strlen(options->job) < ID_TEXT &&
           strspn(options->job,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
               strlen(options->job);
}

static int outcome_print(const WaitOptions *options, const Text *body, Value job) {
    static const struct {
        const char *status;
        int exit;
    } outcomes[] = {
        {"succeeded", EXIT_DONE}, {"failed", EXIT_REFUSED}, {"cancelled", EXIT_CANCELLED}};
    const char *status = value_string(value_member(job, "status"));
    const char *model = value_string(value_member(job, "model"));
    const char *detail = value_string(value_member(value_member(job, "error"), "detail"));
    int outcome = EXIT_TIME;
    for (size_t i = 0; i < ARRAY_LENGTH(outcomes); i++)
        if (status != NULL && strcmp(status, outcomes[i].status) == 0)
            outcome = outcomes[i].exit;
    if (options->json)
        puts(text_string(body));
    else
        printf("%s %s%s%s\n", options->job, status != NULL ? status : "?",
               model != NULL || detail != NULL ? " " : "",
               model != NULL    ? model
               : detail != NULL ? detail
                                : "");
    return outcome;
}

enum { OUTCOME_NONE = -1, OUTCOME_CUT = -2 };

// The answer's outcome; OUTCOME_NONE: it has not ended, and there is time left; OUTCOME_CUT: the answer is not whole,
// as when the server dies while one waits.
static int answer_take(const WaitOptions *options, int status, const Text *body, bool over) {
    Document *document = NULL;
    Issues issues;
    if (status != 200) {
        client_print_refusal(status, body);
        return EXIT_NO_SERVER;
    }
    issues_init(&issues);
    int outcome = OUTCOME_CUT;
    if (document_parse(text_string(body), body->length, NULL, &issues, &document) == OK) {
        Value job = document_root(document);
        bool ended = value_kind(value_member(job, "finished_at")) == VALUE_STRING;
        outcome = ended || over ? outcome_print(options, body, job) : OUTCOME_NONE;
    }
    document_destroy(document);
    issues_finish(&issues);
    return outcome;
}

static int job_wait(const WaitOptions *options, const Client *client, Text *body) {
    int64_t begin = time_monotonic(), heard = 0;
    for (;;) {
        char path[ID_TEXT + 64];
        int64_t now = time_monotonic(), left = ASK_SECONDS;
        if (options->seconds >= 0 && options->seconds - (now - begin) / 1000 < left)
            left = options->seconds - (now - begin) / 1000;
        if (left < 0 ||
            heard == 0) // the first answer comes at once: is it there, and does it know the job?
            left = 0;
        snprintf(path, sizeof path, "/v1/jobs/%s?wait=%d", options->job, (int)left);
        int status = 0;
        int result = client_get(client, path, (int)left + GRACE_SECONDS, &status, body);
        bool over = options->seconds >= 0 && time_monotonic() - begin >= options->seconds * 1000;
        if (result == OK && status != 503) {
            int outcome = answer_take(options, status, body, over);
            if (outcome >= 0)
                return outcome;
            if (outcome == OUTCOME_NONE) {
                heard = time_monotonic();
                continue;
            }
            result = ERR_IO;
        }
        if (result == OK)
            heard = time_monotonic();
        if (over)
            return EXIT_TIME;
        if (heard == 0 || time_monotonic() - heard > AWAY_SECONDS * 1000) {
            fprintf(stderr, "there is no server at %s:%s: %s\n", client->host, client->port,
                    error_text(result));
            return EXIT_NO_SERVER;
        }
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOSECONDS}, NULL);
    }
}

int command_wait(int argc, char **argv) {
    WaitOptions options;
    Client client;
    Text body;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        puts(usage);
        return EXIT_DONE;
    }
    if (!options_read(argc, argv, &options)) {
        fprintf(stderr, "%s\n", usage);
        return EXIT_USAGE;
    }
    int result = client_init(&client, options.server, options.token_file);
    if (result != OK)
        return result == ERR_INVALID ? EXIT_USAGE : EXIT_NO_SERVER;
    text_init(&body);
    int outcome = job_wait(&options, &client, &body);
    text_finish(&body);
    explicit_bzero(client.token, sizeof client.token);
    return outcome;
}
