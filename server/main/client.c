#include "server/main/client.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/http/listen.h"
#include "server/json/document.h"

enum { ANSWER_MAX_BYTES = 64 << 20 };

static const char default_server[] = "http://127.0.0.1:8080", scheme[] = "http://";

int client_init(Client *client, const char *server, const char *token_file) {
    *client = (Client){0};
    if (server == NULL)
        server = getenv("BACKPROPD_SERVER");
    if (server == NULL)
        server = default_server;
    if (token_file == NULL)
        token_file = getenv("BACKPROPD_TOKEN_FILE");
    const char *address =
        strncmp(server, scheme, strlen(scheme)) == 0 ? server + strlen(scheme) : server;
    AUTO_FREE char *copy = memory_string(address);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    size_t length = strlen(copy);
    if (length > 0 && copy[length - 1] == '/')
        copy[length - 1] = '\0';
    if (strncmp(server, "https:", 6) == 0 || !listener_split(copy, client->host, client->port) ||
        client->host[0] == '\0') {
        fprintf(stderr, "the server must be http://HOST:PORT, not \"%.100s\"\n", server);
        return ERR_INVALID;
    }
    int result = token_file == NULL ? OK : token_read(AT_FDCWD, token_file, client->token);
    if (result != OK)
        fprintf(stderr, "%s: %s\n", token_file, error_text(result));
    return result;
}

static int client_connect(const Client *client, int seconds, int *ret_socket) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval limit = {.tv_sec = seconds};
    struct addrinfo *found;
    if (getaddrinfo(client->host, client->port, &hints, &found) != 0)
        return ERR_UNAVAILABLE;
    int connection = -1;
    for (const struct addrinfo *to = found; to != NULL && connection < 0; to = to->ai_next) {
        connection = socket(to->ai_family, to->ai_socktype | SOCK_CLOEXEC, to->ai_protocol);
        if (connection < 0)
            continue;
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        if (connect(connection, to->ai_addr, to->ai_addrlen) != 0) {
            close(connection);
            connection = -1;
        }
    }
    freeaddrinfo(found);
    if (connection < 0)
        return ERR_UNAVAILABLE;
    *ret_socket = connection;
    return OK;
}

// In HTTP/1.0, whose answers end with the connection: no chunks, no second request.
static int request_send(const Client *client, int connection, const char *path) {
    bool v6 = strchr(client->host, ':') != NULL;
    Text text;
    text_init(&text);
    text_add_format(&text, "GET %s HTTP/1.0\r\nHost: %s%s%s:%s\r\n", path, v6 ? "[" : "",
                    client->host, v6 ? "]" : "", client->port);
    if (client->token[0] != '\0')
        text_add_format(&text, "Authorization: Bearer %s\r\n", client->token);
    text_add(&text, "\r\n");
    int result = text.failed ? ERR_NO_MEMORY : OK;
    for (size_t sent = 0; result == OK && sent < text.length;) {
        ssize_t count = send(connection, text.data + sent, text.length - sent, MSG_NOSIGNAL);
        if (count > 0)
            sent += (size_t)count;
        else if (errno != EINTR)
            result = ERR_UNAVAILABLE;
    }
    text_finish(&text);
    return result;
}

static int answer_read(int connection, Text *answer) {
    char bytes[16384];
    answer->limit = ANSWER_MAX_BYTES;
    for (;;) {
        ssize_t count = recv(connection, bytes, sizeof bytes, 0);
        if (count > 0)
            text_add_bytes(answer, bytes, (size_t)count);
        else if (count == 0)
            return answer->failed ? ERR_TOO_LARGE : OK;
        else if (errno != EINTR)
            return ERR_UNAVAILABLE;
    }
}

int client_get(const Client *client, const char *path, int seconds, int *ret_status,
               Text *ret_body) {
    int connection = -1, status = 0;
    Text answer;
    text_init(&answer);
    int result = client_connect(client, seconds, &connection);
    if (result == OK)
        result = request_send(client, connection, path);
    if (result == OK)
        result = answer_read(connection, &answer);
    if (connection >= 0)
        close(connection);
    const char *body = result == OK ? strstr(text_string(&answer), "\r\n\r\n") : NULL;
    if (result == OK && answer.length == 0)
        result = ERR_UNAVAILABLE; // it ended before it answered
    else if (result == OK &&
             (body == NULL || sscanf(text_string(&answer), "HTTP/1.%*1[01] %3d", &status) != 1))
        result = ERR_IO;
    if (result == OK) {
        text_clear(ret_body);
        text_add(ret_body, body + 4);
        *ret_status = status;
        result = ret_body->failed ? ERR_NO_MEMORY : OK;
    }
    text_finish(&answer);
    return result;
}

void client_print_refusal(int status, const Text *body) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    const char *detail = NULL;
    if (document_parse(text_string(body), body->length, NULL, &issues, &document) == OK)
        detail = value_string(value_member(document_root(document), "detail"));
    fprintf(stderr, "the server answers %d: %s\n", status, detail != NULL ? detail : "?");
    document_destroy(document);
    issues_finish(&issues);
}
