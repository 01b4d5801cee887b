// Asking a server, for the commands that need one: GET over plain HTTP, one request a connection. It is found by
//
//   --server URL       or BACKPROPD_SERVER; http://127.0.0.1:8080 unless given
//   --token-file FILE  or BACKPROPD_TOKEN_FILE; no token unless given
#pragma once
#include <stdbool.h>
#include "core/base/text.h"
#include "server/http/token.h"

typedef struct Client {
    char host[256], port[8];
    char token[TOKEN_TEXT]; // "": none
} Client;

// NULL: as the environment says. The mistake has been told on standard error where it is not OK.
int client_init(Client *client, const char *server, const char *token_file);
// Answers within so many seconds, or ERR_UNAVAILABLE: there is no server, or it fell silent; ERR_IO: what
// came is no answer.
int client_get(const Client *client, const char *path, int seconds, int *ret_status,
               Text *ret_body);
// Says on standard error why an answer is not 200: the problem's words.
void client_print_refusal(int status, const Text *body);
