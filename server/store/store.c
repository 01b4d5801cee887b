// The writer thread, the pool of readers and the lock file.
//
//   callers ── store_write ──▶ queue ──▶ writer: BEGIN, (SAVEPOINT, change, RELEASE)…, COMMIT ──▶
//   callers wake
//
// The writer takes whatever waits and commits it as one: while an fsync runs, the next group
// gathers. So a lone caller pays one fsync and no delay, and many callers share one. SQLite 3.40
// may corrupt a WAL database when one connection commits while another checkpoints: here one
// connection does all of both.
#include "server/store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/log.h"
#include "server/base/time.h"
#include "server/store/files.h"
#include "server/store/keys.h"
#include "server/store/migrations.h"
#include "server/store/sql.h"

enum {
    READERS_MAX = 8,
    GROUP_MAX = 1000, // changes in one commit
    GROUP_MILLISECONDS = 20,
    LOCK_TRIES = 20, // a server that was just killed frees its lock within a moment …
    LOCK_WAIT_MICROSECONDS = 50000,
};

typedef struct Request { // on the stack of the caller, who sleeps until `done`
    StoreChange change;
    void *argument;
    int64_t arrived; // monotonic
    int result;
    bool done;
    struct Request *next;
} Request;

struct Store {
    char *path;
    int directory, lock;
    sqlite3 *database; // the writer thread's
    Keys *keys;
    pthread_t writer;
    bool writer_runs;
    atomic_bool failed, full;

    pthread_mutex_t mutex; // guards what follows
    pthread_cond_t arrived, committed, released;
    Request *first, **last;
    bool closing;
    int64_t waiting,
        oldest; // changes not committed; when the first of the group under way arrived, or 0
    int64_t changes, commits, waited;
    sqlite3 *readers[READERS_MAX]; // [idle_readers] those not lent
    int idle_readers, open_readers;
};

// ---- connections ----

static int connection_open(const Store *store, int flags, const char *setup,
                           sqlite3 **ret_database) {
    Text path;
    text_init(&path);
    text_add_format(&path, "%s/backpropd.db", store->path);
    sqlite3 *database = NULL;
    int result = path.failed ? ERR_NO_MEMORY : OK;
    if (result == OK && sqlite3_open_v2(text_string(&path), &database, flags, NULL) != SQLITE_OK)
        result = database != NULL ? sql_error(database) : ERR_NO_MEMORY;
    text_finish(&path);
    if (result == OK) {
        sqlite3_extended_result_codes(database, 1);
        sqlite3_busy_timeout(database, 5000);
        if (sqlite3_exec(database, setup, NULL, NULL, NULL) != SQLITE_OK)
            result = sql_error(database);
    }
    if (result != OK) {
        sqlite3_close(database);
        return result;
    }
    *ret_database = database;
    return OK;
}

static int writer_open(const Store *store, sqlite3 **ret_database) {
    // Made here first, so that it is never readable to others, whatever the umask.
    int file =
        openat(store->directory, "backpropd.db", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return ERR_IO;
    close(file);
    return connection_open(store, SQLITE_OPEN_READWRITE,
                           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                           "PRAGMA journal_size_limit = 67108864",
                           ret_database);
}

sqlite3 *store_reader(Store *store) {
    sqlite3 *reader = NULL;
    pthread_mutex_lock(&store->mutex);
    while (store->idle_readers == 0 && store->open_readers == READERS_MAX)
        pthread_cond_wait(&store->released, &store->mutex);
    bool open = store->idle_readers == 0;
    if (open)
        store->open_readers++;
    else
        reader = store->readers[--store->idle_readers];
    pthread_mutex_unlock(&store->mutex);
    if (!open ||
        connection_open(store, SQLITE_OPEN_READONLY, "PRAGMA cache_size = -512", &reader) == OK)
        return reader;
    pthread_mutex_lock(&store->mutex);
    store->open_readers--;
    pthread_cond_signal(&store->released);
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

void store_release(Store *store, sqlite3 *reader) {
    if (reader == NULL)
        return;
    pthread_mutex_lock(&store->mutex);
    store->readers[store->idle_readers++] = reader;
    pthread_cond_signal(&store->released);
    pthread_mutex_unlock(&store->mutex);
}

// ---- the writer ----

// Runs one change in a savepoint. An error that took the whole transaction along comes through
// ret_group.
static int change_run(Store *store, Request *request, int *ret_group) {
    sqlite3 *database = store->database;
    int result = sql_run(database, "SAVEPOINT change", "");
    if (result == OK)
        result = request->change(database, request->argument);
    if (sqlite3_get_autocommit(database)) { // SQLite rolled all of it back by itself
        *ret_group = result < 0 ? result : ERR_IO;
        return *ret_group;
    }
    if (result == ERR_UNAVAILABLE) // the disk is full for the others too
        *ret_group = result;
    int undo = result < 0 ? sql_run(database, "ROLLBACK TO change", "") : OK;
    int release = sql_run(database, "RELEASE change", "");
    if (undo != OK || release != OK)
        *ret_group = undo != OK ? undo : release;
    return result;
}

static int group_commit(Store *store) {
    int result = sql_run(store->database, "COMMIT", "");
    if (result != OK && result != ERR_UNAVAILABLE && result != ERR_NO_MEMORY) {
        // Nobody knows what of it the disk holds.
        log_error("commit failed: %s", sqlite3_errmsg(store->database));
        atomic_store(&store->failed, true);
        return ERR_IO;
    }
    return result;
}

static Request *request_take(Store *store) {
    pthread_mutex_lock(&store->mutex);
    Request *request = store->first;
    if (request != NULL) {
        if (store->oldest == 0)
            store->oldest = request->arrived;
        store->first = request->next;
        if (store->first == NULL)
            store->last = &store->first;
        request->next = NULL;
    }
    pthread_mutex_unlock(&store->mutex);
    return request;
}

static void group_run(Store *store) {
    Request *group = NULL, **end = &group;
    int64_t deadline = time_monotonic() + GROUP_MILLISECONDS;
    int error =
        atomic_load(&store->failed) ? ERR_IO : sql_run(store->database, "BEGIN IMMEDIATE", "");
    for (int count = 0; count < GROUP_MAX && (count == 0 || time_monotonic() < deadline); count++) {
        Request *request = request_take(store);
        if (request == NULL)
            break;
        *end = request;
        end = &request->next;
        if (error == OK)
            request->result = change_run(store, request, &error);
    }
    if (error == OK)
        error = group_commit(store);
    if (error != OK && !sqlite3_get_autocommit(store->database))
        sql_run(store->database, "ROLLBACK", "");
    atomic_store(&store->full, error == ERR_UNAVAILABLE);

    int64_t now = time_monotonic();
    pthread_mutex_lock(&store->mutex);
    for (Request *request = group; request != NULL; request = request->next) {
        if (error != OK)
            request->result = error;
        store->waiting--;
        store->changes++;
        store->waited += now - request->arrived;
        request->done = true;
    }
    store->oldest = 0;
    store->commits++;
    pthread_cond_broadcast(&store->committed);
    pthread_mutex_unlock(&store->mutex);
}

static void *writer_main(void *argument) {
    Store *store = argument;
    for (;;) {
        pthread_mutex_lock(&store->mutex);
        while (store->first == NULL && !store->closing)
            pthread_cond_wait(&store->arrived, &store->mutex);
        bool waits = store->first != NULL;
        pthread_mutex_unlock(&store->mutex);
        if (!waits)
            return NULL;
        group_run(store);
    }
}

int store_write(Store *store, StoreChange change, void *argument) {
    Request request = {.change = change, .argument = argument, .arrived = time_monotonic()};
    pthread_mutex_lock(&store->mutex);
    store->waiting++;
    *store->last = &request;
    store->last = &request.next;
    pthread_cond_signal(&store->arrived);
    while (!request.done)
        pthread_cond_wait(&store->committed, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    return request.result;
}

// ---- opening and closing ----

// Makes the folder and those above it.
static int folder_make(const char *path) {
    char *copy = memory_string(path);
    if (copy == NULL)
        return ERR_NO_MEMORY;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0700);
        *slash = '/';
    }
    int result = mkdir(copy, 0700) == 0 || errno == EEXIST ? OK : ERR_IO;
    memory_free(copy);
    return result;
}

static int lock_take(int directory, int *ret_lock) {
    int lock = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return ERR_IO;
    for (int attempt = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; attempt++) {
        if (errno != EWOULDBLOCK || attempt == LOCK_TRIES) {
            int result = errno == EWOULDBLOCK ? ERR_CONFLICT : ERR_IO;
            close(lock);
            return result;
        }
        usleep(LOCK_WAIT_MICROSECONDS);
    }
    *ret_lock = lock;
    return OK;
}

static int database_prepare(Store *store) {
    int result = writer_open(store, &store->database);
    if (result == OK)
        result = migrations_run(store->database);
    if (result == OK)
        result = files_sweep(store->database, store->directory);
    if (result != OK)
        log_error("%s/backpropd.db: %s", store->path, error_text(result));
    return result;
}

int store_open(const char *directory, Store **ret_store) {
    Store *store = memory_new(Store);
    if (store == NULL)
        return ERR_NO_MEMORY;
    store->directory = store->lock = -1;
    store->last = &store->first;
    pthread_mutex_init(&store->mutex, NULL);
    pthread_cond_init(&store->arrived, NULL);
    pthread_cond_init(&store->committed, NULL);
    pthread_cond_init(&store->released, NULL);

    int result = ERR_NO_MEMORY;
    store->path = memory_string(directory);
    if (store->path == NULL || keys_create(&store->keys) != OK)
        goto fail;
    result = folder_make(directory);
    if (result != OK)
        goto fail;
    result = ERR_IO;
    store->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->directory < 0)
        goto fail;
    result = lock_take(store->directory, &store->lock);
    if (result != OK) {
        if (result == ERR_CONFLICT)
            log_error("%s/lock: another server works on this folder", directory);
        goto fail;
    }
    result = files_make_folders(store->directory);
    if (result == OK)
        result = database_prepare(store);
    if (result != OK)
        goto fail;
    result = ERR_NO_MEMORY;
    if (pthread_create(&store->writer, NULL, writer_main, store) != 0)
        goto fail;
    store->writer_runs = true;
    *ret_store = store;
    return OK;
fail:
    store_close(store);
    return result;
}

void store_close(Store *store) {
    if (store == NULL)
        return;
    if (store->writer_runs) {
        pthread_mutex_lock(&store->mutex);
        store->closing = true;
        pthread_cond_signal(&store->arrived);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->writer, NULL);
    }
    for (int i = 0; i < store->idle_readers; i++)
        sqlite3_close(store->readers[i]);
    sqlite3_close(store->database);
    keys_destroy(store->keys);
    if (store->lock >= 0)
        close(store->lock);
    if (store->directory >= 0)
        close(store->directory);
    pthread_cond_destroy(&store->released);
    pthread_cond_destroy(&store->committed);
    pthread_cond_destroy(&store->arrived);
    pthread_mutex_destroy(&store->mutex);
    memory_free(store->path);
    memory_free(store);
}

bool store_failed(const Store *store) {
    return atomic_load(&store->failed);
}

bool store_full(const Store *store) {
    return atomic_load(&store->full);
}

void store_figures(Store *store, StoreFigures *ret_figures) {
    pthread_mutex_lock(&store->mutex);
    int64_t oldest =
        store->oldest == 0 && store->first != NULL ? store->first->arrived : store->oldest;
    *ret_figures =
        (StoreFigures){.changes = store->changes,
                       .commits = store->commits,
                       .waited_seconds = (double)store->waited / 1000,
                       .waiting = store->waiting,
                       .lag_seconds = oldest == 0 ? 0 : (double)(time_monotonic() - oldest) / 1000};
    pthread_mutex_unlock(&store->mutex);
}

int store_directory(const Store *store) {
    return store->directory;
}

const char *store_path(const Store *store) {
    return store->path;
}

Keys *store_keys(Store *store) {
    return store->keys;
}
