// Tokens and the page's sessions, as handlers ask for them (http.h); auth.h keeps them.
#include <string.h>
#include "server/http/internal.h"

bool http_token_matches(const Http *http, const char *token) {
    return auth_token_matches(&http->auth, token, strlen(token));
}

void http_session_open(Http *http, char text[65]) {
    auth_session_open(&http->auth, text);
}

void http_session_close(Request *request) {
    const char *session;
    size_t length;
    if (cookie_find(request_header(request, "Cookie"), HTTP_SESSION_COOKIE, &session, &length))
        auth_session_close(&request->http->auth, session, length);
}
