// Idempotency-Key on a POST that creates: the same key and request again gives the first answer
// again, also after a restart.
//
// The key and the answer's status and Location are noted in the transaction that creates the thing
// (KeyUse), the answer's body right after it: if the server dies in between, the thing is there
// once, and `answer_at` tells of it.
#pragma once
#include "server/routes/routes.h"
#include "server/store/tables.h"

enum { KEY_TEXT = 256 };

typedef struct Idempotency {
    Store *store;
    bool on; // the request has a key
    char key[KEY_TEXT], sha256[65], location[96];
    KeyUse use;
} Idempotency;

// False: answered already (the first answer again, 422, 409 or 400). answer_at writes the answer
// about the thing with `id`.
bool idempotency_begin(Request *request, Idempotency *ret_idempotency,
                       void (*answer_at)(Request *request, int status, const char *id));
// For the transaction that creates "PATH/ID": NULL without a key.
const KeyUse *idempotency_use(Idempotency *idempotency, int status, const char *path,
                              const char *id);
void idempotency_end(Idempotency *idempotency,
                     const Text *body);             // it was created and this is the answer
void idempotency_release(Idempotency *idempotency); // it was not
