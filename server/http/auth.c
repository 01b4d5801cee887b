#include "server/http/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <nettle/memops.h>
#include "server/base/time.h"
#include "server/http/http.h"

static void hash_bytes(const char *data, size_t length, uint8_t digest[HASH_BYTES]) {
    Hash hash;
    hash_init(&hash);
    hash_add(&hash, data, length);
    hash_end(&hash, digest);
}

void random_text(char text[HASH_TEXT]) {
    uint8_t bytes[HASH_BYTES];
    size_t have = 0;
    while (have < sizeof bytes) {
        ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
        if (got > 0)
            have += (size_t)got;
        else if (errno != EINTR)
            abort(); // a kernel without randomness: no secret could be made
    }
    hash_text(bytes, text);
}

void auth_init(Auth *auth, const char *token) {
    *auth = (Auth){0};
    pthread_mutex_init(&auth->lock, NULL);
    auth_set_token(auth, token);
}

void auth_set_token(Auth *auth, const char *token) {
    auth->required = token != NULL;
    if (token != NULL)
        hash_bytes(token, strlen(token), auth->token);
}

void auth_finish(Auth *auth) {
    pthread_mutex_destroy(&auth->lock);
    explicit_bzero(auth->token, sizeof auth->token);
}

bool auth_token_matches(const Auth *auth, const char *token, size_t length) {
    if (!auth->required)
        return true;
    uint8_t digest[HASH_BYTES];
    hash_bytes(token, length, digest);
    return nettle_memeql_sec(digest, auth->token, sizeof digest);
}

// The index of the session with this hash, or −1. All are compared, whichever fits. The caller
// holds the lock.
static int session_find(Auth *auth, const char *text, size_t length) {
    uint8_t digest[HASH_BYTES];
    int found = -1;
    int64_t now = time_monotonic();
    hash_bytes(text, length, digest);
    for (int i = 0; i < SESSIONS_MAX; i++)
        if (nettle_memeql_sec(digest, auth->session[i].hash, sizeof digest) &&
            auth->session[i].opened != 0 &&
            now - auth->session[i].opened < SESSION_SECONDS * (int64_t)1000)
            found = i;
    return found;
}

bool auth_session_known(Auth *auth, const char *text, size_t length) {
    pthread_mutex_lock(&auth->lock);
    bool known = session_find(auth, text, length) >= 0;
    pthread_mutex_unlock(&auth->lock);
    return known;
}

void auth_session_open(Auth *auth, char text[HASH_TEXT]) {
    random_text(text);
    pthread_mutex_lock(&auth->lock);
    int place = 0;
    for (int i = 1; i < SESSIONS_MAX; i++) // free ones opened at 0
        if (auth->session[i].opened < auth->session[place].opened)
            place = i;
    hash_bytes(text, strlen(text), auth->session[place].hash);
    auth->session[place].opened = time_monotonic();
    pthread_mutex_unlock(&auth->lock);
}

void auth_session_close(Auth *auth, const char *text, size_t length) {
    pthread_mutex_lock(&auth->lock);
    int place = session_find(auth, text, length);
    if (place >= 0)
        auth->session[place].opened = 0;
    pthread_mutex_unlock(&auth->lock);
}

bool cookie_find(const char *cookies, const char *name, const char **ret_value,
                 size_t *ret_length) {
    size_t name_length = strlen(name);
    while (cookies != NULL && *cookies != '\0') {
        cookies += strspn(cookies, " ;\t");
        size_t length = strcspn(cookies, ";");
        if (length > name_length && cookies[name_length] == '=' &&
            strncmp(cookies, name, name_length) == 0) {
            *ret_value = cookies + name_length + 1;
            *ret_length = length - name_length - 1;
            return true;
        }
        cookies += length;
    }
    return false;
}

bool auth_allows(Auth *auth, const char *authorization, const char *cookies) {
    static const char scheme[] = "Bearer ";
    const char *session;
    size_t length;
    if (!auth->required)
        return true;
    if (authorization != NULL && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0) {
        const char *token = authorization + sizeof scheme - 1;
        token += strspn(token, " ");
        return auth_token_matches(auth, token, strlen(token));
    }
    return cookie_find(cookies, HTTP_SESSION_COOKIE, &session, &length) &&
           auth_session_known(auth, session, length);
}
