// `backpropd status`: how a server is, for people and scripts.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "server/json/document.h"
#include "server/main/client.h"
#include "server/main/commands.h"

static const char usage[] =
    "usage: backpropd status [--json] [--server URL] [--token-file FILE]\n"
    "Says how a server is. The exit status: 0 it is ready, 1 it answers but is not ready (it is "
    "about\n"
    "to stop, or its disk is full), 2 the call is wrong, 5 no server, or it refused.";

enum { ASK_SECONDS = 10 };

static int whole(Value object, const char *key) {
    return (int)value_number(value_member(object, key));
}

static void uptime_print(double seconds) {
    int minutes = (int)(seconds / 60);
    if (minutes >= 24 * 60)
        printf("%d d %d h", minutes / (24 * 60), minutes / 60 % 24);
    else if (minutes >= 60)
        printf("%d h %d min", minutes / 60, minutes % 60);
    else
        printf("%d min", minutes);
}

static void status_print(const Client *client, Value root, const char *readiness) {
    Value workers = value_member(root, "workers"), queue = value_member(root, "queue");
    const char *version = value_string(value_member(root, "version"));
    printf("backpropd %s at %s:%s, up ", version != NULL ? version : "?", client->host,
           client->port);
    uptime_print(value_number(value_member(root, "uptime_seconds")));
    printf(", %s\n", readiness);
    printf("workers  %d of %d busy\n", whole(workers, "running"), whole(workers, "total"));
    printf("queue    %d waiting, %d running, %d paused, room for %d\n", whole(queue, "queued"),
           whole(queue, "running"), whole(queue, "paused"), whole(queue, "limit"));
}

static int status_show(const Client *client, bool json, Text *body, Text *ready) {
    int status = 0, ready_status = 0;
    int result = client_get(client, "/v1/status", ASK_SECONDS, &status, body);
    if (result == OK)
        result = client_get(client, "/readyz", ASK_SECONDS, &ready_status, ready);
    if (result != OK) {
        fprintf(stderr, "there is no server at %s:%s: %s\n", client->host, client->port,
                error_text(result));
        return EXIT_NO_SERVER;
    }
    if (status != 200) {
        client_print_refusal(status, body);
        return EXIT_NO_SERVER;
    }
    if (json) {
        puts(text_string(body));
    } else {
        Document *document = NULL;
        Issues issues;
        issues_init(&issues);
        if (document_parse(text_string(body), body->length, NULL, &issues, &document) == OK)
            status_print(client, document_root(document),
                         ready_status == 200 ? "ready" : "not ready");
        document_destroy(document);
        issues_finish(&issues);
    }
    if (ready_status != 200)
        client_print_refusal(ready_status, ready);
    return ready_status == 200 ? EXIT_DONE : EXIT_REFUSED;
}

int command_status(int argc, char **argv) {
    const char *server = NULL, *token_file = NULL;
    bool json = false, wrong = false;
    Client client;
    Text body, ready;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            puts(usage);
            return EXIT_DONE;
        }
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--server") == 0 && i + 1 < argc)
            server = argv[++i];
        else if (strcmp(argv[i], "--token-file") == 0 && i + 1 < argc)
            token_file = argv[++i];
        else
            wrong = true;
    }
    if (wrong) {
        fprintf(stderr, "%s\n", usage);
        return EXIT_USAGE;
    }
    int result = client_init(&client, server, token_file);
    if (result != OK)
        return result == ERR_INVALID ? EXIT_USAGE : EXIT_NO_SERVER;
    text_init(&body);
    text_init(&ready);
    int outcome = status_show(&client, json, &body, &ready);
    text_finish(&ready);
    text_finish(&body);
    explicit_bzero(client.token, sizeof client.token);
    return outcome;
}
