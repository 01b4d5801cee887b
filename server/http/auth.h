// The token and the page's sessions. Only SHA-256 hashes are kept, and compared in constant time;
// sessions live in memory: a restart ends them.
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/hash.h"

enum { SESSIONS_MAX = 64, SESSION_SECONDS = 30 * 24 * 3600 };

typedef struct Auth {
    bool required;
    uint8_t token[HASH_BYTES];
    pthread_mutex_t lock; // guards the sessions
    struct {
        uint8_t hash[HASH_BYTES];
        int64_t opened; // time_monotonic; 0: free
    } session[SESSIONS_MAX];
} Auth;

void auth_init(Auth *auth, const char *token); // NULL: everything is allowed
void auth_set_token(Auth *auth, const char *token);
void auth_finish(Auth *auth);
bool auth_token_matches(const Auth *auth, const char *token, size_t length);
bool auth_session_known(Auth *auth, const char *text, size_t length);
void auth_session_open(Auth *auth, char text[HASH_TEXT]);
void auth_session_close(Auth *auth, const char *text, size_t length);
// "Bearer TOKEN", or the session's cookie. Either may be NULL.
bool auth_allows(Auth *auth, const char *authorization, const char *cookies);
// The value of one cookie in a Cookie header.
bool cookie_find(const char *cookies, const char *name, const char **ret_value, size_t *ret_length);
void random_text(char text[HASH_TEXT]); // 32 random bytes as hex
