// Idempotency keys. One under way is a reservation in memory, for a crash ends it; an answer given
// is a row.
#include "server/store/keys.h"
#include <pthread.h>
#include <string.h>
#include "core/base/error.h"
#include "server/store/sql.h"

enum { KEY_LIFE_DAYS = 7 };

typedef struct Reservation {
    char *key, *body_sha256;
    struct Reservation *next;
} Reservation;

struct Keys {
    pthread_mutex_t mutex; // guards the list
    Reservation *first;
};

int keys_create(Keys **ret_keys) {
    Keys *keys = memory_new(Keys);
    if (keys == NULL)
        return ERR_NO_MEMORY;
    pthread_mutex_init(&keys->mutex, NULL);
    *ret_keys = keys;
    return OK;
}

static void reservation_destroy(Reservation *reservation) {
    memory_free(reservation->key);
    memory_free(reservation->body_sha256);
    memory_free(reservation);
}

void keys_destroy(Keys *keys) {
    if (keys == NULL)
        return;
    while (keys->first != NULL) {
        Reservation *reservation = keys->first;
        keys->first = reservation->next;
        reservation_destroy(reservation);
    }
    pthread_mutex_destroy(&keys->mutex);
    memory_free(keys);
}

// KEY_NEW where the key was free and is now ours.
static int reserve(Keys *keys, const char *key, const char *body_sha256, KeyState *ret_state) {
    Reservation *reservation = memory_new(Reservation);
    if (reservation == NULL)
        return ERR_NO_MEMORY;
    reservation->key = memory_string(key);
    reservation->body_sha256 = memory_string(body_sha256);
    if (reservation->key == NULL || reservation->body_sha256 == NULL) {
        reservation_destroy(reservation);
        return ERR_NO_MEMORY;
    }
    pthread_mutex_lock(&keys->mutex);
    Reservation *other = keys->first;
    while (other != NULL && strcmp(other->key, key) != 0)
        other = other->next;
    if (other != NULL) {
        *ret_state = strcmp(other->body_sha256, body_sha256) == 0 ? KEY_UNDER_WAY : KEY_OTHER_BODY;
    } else {
        reservation->next = keys->first;
        keys->first = reservation;
        *ret_state = KEY_NEW;
    }
    pthread_mutex_unlock(&keys->mutex);
    if (other != NULL)
        reservation_destroy(reservation);
    return OK;
}

static void unreserve(Keys *keys, const char *key) {
    Reservation *found = NULL;
    pthread_mutex_lock(&keys->mutex);
    for (Reservation **link = &keys->first; *link != NULL; link = &(*link)->next) {
        if (strcmp((*link)->key, key) == 0) {
            found = *link;
            *link = found->next;
            break;
        }
    }
    pthread_mutex_unlock(&keys->mutex);
    if (found != NULL)
        reservation_destroy(found);
}

static int text_copy(sqlite3_stmt *statement, int column, char **ret_text) {
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
        *ret_text = NULL;
        return OK;
    }
    *ret_text = memory_string((const char *)sqlite3_column_text(statement, column));
    return *ret_text == NULL ? ERR_NO_MEMORY : OK;
}

static int answer_read(sqlite3 *reader, const char *key, const char *body_sha256,
                       KeyState *ret_state, int *ret_status, char **ret_location, char **ret_body) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(reader, &statement,
                    "SELECT body_sha256, status, location, body FROM keys WHERE key = ?", "s", key);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_NOT_FOUND : result;
    const char *first_body = (const char *)sqlite3_column_text(statement, 0);
    if (first_body == NULL)
        return ERR_NO_MEMORY;
    if (strcmp(first_body, body_sha256) != 0) {
        *ret_state = KEY_OTHER_BODY;
        return OK;
    }
    char *location = NULL, *body = NULL;
    int status = sqlite3_column_int(statement, 1);
    result = text_copy(statement, 2, &location);
    if (result == OK)
        result = text_copy(statement, 3, &body);
    if (result != OK) {
        memory_free(location);
        return result;
    }
    *ret_state = KEY_SAME;
    *ret_status = status;
    *ret_location = location;
    *ret_body = body;
    return OK;
}

static int answer_find(Store *store, const char *key, const char *body_sha256, KeyState *ret_state,
                       int *ret_status, char **ret_location, char **ret_body) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result =
        answer_read(reader, key, body_sha256, ret_state, ret_status, ret_location, ret_body);
    store_release(store, reader);
    return result;
}

// Looks before and after reserving: before, so that a repeated request is not told "under way"
// because of another repetition; after, because the first may have been completed in between.
int keys_begin(Store *store, const char *key, const char *body_sha256, KeyState *ret_state,
               int *ret_status, char **ret_location, char **ret_body) {
    int result =
        answer_find(store, key, body_sha256, ret_state, ret_status, ret_location, ret_body);
    if (result != ERR_NOT_FOUND)
        return result;
    KeyState state;
    result = reserve(store_keys(store), key, body_sha256, &state);
    if (result != OK)
        return result;
    if (state == KEY_NEW) {
        result =
            answer_find(store, key, body_sha256, ret_state, ret_status, ret_location, ret_body);
        if (result != ERR_NOT_FOUND) {
            unreserve(store_keys(store), key);
            return result;
        }
    }
    *ret_state = state;
    return OK;
}

int key_note(sqlite3 *database, const KeyUse *use) {
    if (use == NULL)
        return OK;
    return sql_run(database, "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, NULL, ?)", "ssisl",
                   use->key, use->body_sha256, use->status, use->location, time_now());
}

typedef struct Completion {
    const char *key;
    char *body_sha256;
    int status;
    const char *location, *body;
} Completion;

static int complete_change(sqlite3 *database, void *argument) {
    const Completion *completion = argument;
    int64_t now = time_now();
    int result = sql_run(database, "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)",
                         "ssissl", completion->key, completion->body_sha256, completion->status,
                         completion->location, completion->body, now);
    if (result == OK)
        result = sql_run(database, "DELETE FROM keys WHERE created_at < ?", "l",
                         now - (int64_t)KEY_LIFE_DAYS * 24 * 3600 * 1000);
    return result;
}

int keys_complete(Store *store, const char *key, int status, const char *location,
                  const char *body) {
    Keys *keys = store_keys(store);
    Completion completion = {key, NULL, status, location, body};
    bool reserved = false;
    pthread_mutex_lock(&keys->mutex);
    for (Reservation *item = keys->first; item != NULL && !reserved; item = item->next) {
        if (strcmp(item->key, key) == 0) {
            completion.body_sha256 = memory_string(item->body_sha256);
            reserved = true;
        }
    }
    pthread_mutex_unlock(&keys->mutex);
    if (!reserved)
        return ERR_NOT_FOUND;
    int result = completion.body_sha256 == NULL ? ERR_NO_MEMORY
                                                : store_write(store, complete_change, &completion);
    memory_free(completion.body_sha256);
    unreserve(keys, key);
    return result;
}

int keys_release(Store *store, const char *key) {
    unreserve(store_keys(store), key);
    return OK;
}
