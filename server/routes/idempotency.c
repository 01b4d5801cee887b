#include "server/routes/idempotency.h"

#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/memory.h"

// Of what makes two requests the same: method, target, content type, body.
static void request_hash(const Request *request, char text[HASH_TEXT]) {
    const char *parts[] = {request_method(request), request_target(request),
                           request_content_type(request)};
    Hash hash;
    uint8_t digest[HASH_BYTES];
    Source body = request_source(request);
    const char *passed = source_start(&body);
    hash_init(&hash);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        hash_add(&hash, parts[i], strlen(parts[i]) + 1);
    for (size_t at = 0; at < body.length;) {
        size_t piece = body.length - at < SOURCE_WINDOW ? body.length - at : SOURCE_WINDOW;
        hash_add(&hash, body.text + at, piece);
        at += piece;
        source_pass(&passed, body.text + at);
    }
    hash_end(&hash, digest);
    hash_text(digest, text);
}

static bool key_valid(const char *key) {
    size_t length = strlen(key);
    for (size_t i = 0; i < length; i++)
        if (key[i] < ' ' || key[i] > '~')
            return false;
    return length > 0 && length < KEY_TEXT;
}

static void answer_again(Request *request, int status, const char *location, const char *body,
                         void (*answer_at)(Request *request, int status, const char *id)) {
    if (location != NULL)
        answer_header(request, "Location", "%s", location);
    if (body != NULL) {
        answer_copy(request, status, "application/json", body);
        return;
    }
    const char *slash = location == NULL ? NULL : strrchr(location, '/');
    answer_at(request, status, slash == NULL ? "" : slash + 1);
}

bool idempotency_begin(Request *request, Idempotency *ret_idempotency,
                       void (*answer_at)(Request *request, int status, const char *id)) {
    Idempotency *idempotency = ret_idempotency;
    const char *key = request_header(request, "Idempotency-Key");
    *idempotency = (Idempotency){.store = request_services(request)->store, .on = key != NULL};
    if (key == NULL)
        return true;
    if (!key_valid(key)) {
        answer_problem(request, 400, "Idempotency-Key must have 1 to %d printable characters.",
                       KEY_TEXT - 1);
        return false;
    }
    snprintf(idempotency->key, sizeof idempotency->key, "%s", key);
    request_hash(request, idempotency->sha256);
    KeyState state;
    int status = 0;
    AUTO_FREE char *location = NULL;
    AUTO_FREE char *body = NULL;
    int error =
        keys_begin(idempotency->store, key, idempotency->sha256, &state, &status, &location, &body);
    if (error != OK) {
        answer_error(request, error, NULL);
        return false;
    }
    switch (state) {
    case KEY_NEW:
        return true;
    case KEY_SAME:
        answer_again(request, status, location, body, answer_at);
        return false;
    case KEY_OTHER_BODY:
        answer_problem(request, 422, "This Idempotency-Key belongs to another request.");
        return false;
    case KEY_UNDER_WAY:
        answer_header(request, "Retry-After", "1");
        answer_problem(request, 409,
                       "The first request with this Idempotency-Key is still under way.");
        return false;
    }
    return false;
}

const KeyUse *idempotency_use(Idempotency *idempotency, int status, const char *path,
                              const char *id) {
    if (!idempotency->on)
        return NULL;
    snprintf(idempotency->location, sizeof idempotency->location, "%s/%s", path, id);
    idempotency->use =
        (KeyUse){idempotency->key, idempotency->sha256, status, idempotency->location};
    return &idempotency->use;
}

// A body that memory did not suffice for is not kept: a repeated request gets what stands at the
// location.
void idempotency_end(Idempotency *idempotency, const Text *body) {
    if (idempotency->on)
        keys_complete(idempotency->store, idempotency->key, idempotency->use.status,
                      idempotency->location, body->failed ? NULL : text_string(body));
}

void idempotency_release(Idempotency *idempotency) {
    if (idempotency->on)
        keys_release(idempotency->store, idempotency->key);
}
