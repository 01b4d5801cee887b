// The reservations of idempotency keys under way. For server/store.
#pragma once
#include <sqlite3.h>
#include "server/store/tables.h"

typedef struct Keys Keys;

int keys_create(Keys **ret_keys);
void keys_destroy(Keys *keys); // takes NULL
// Within a change that creates a thing: notes the answer in the same transaction. `use` NULL:
// nothing.
int key_note(sqlite3 *database, const KeyUse *use);
