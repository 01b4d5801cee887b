// What users wish of a job: which state allows what, in one table.
//
//               queued                      running                      paused
//   pause       paused                      wish; paused when it stopped  ·
//   resume      ·                           takes a pause back            queued
//   stop        a worker ends it¹           wish; its model is kept       a worker ends it¹
//   cancel      cancelled                   wish; cancelled               cancelled
//
//   ¹ where it has done a step: it is queued to load its checkpoint, and to end
//
// A cancel is not taken back, a stop only for a cancel. What is dotted, or not there, is refused.
#include <string.h>
#include "core/base/error.h"
#include "server/store/files.h"
#include "server/store/job_log.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Transition {
    const char *wish;
    const char *when, *set; // SQL; ?2: now
    enum { THEN_NOTHING, THEN_LOG, THEN_END } then;
    bool running;
} Transition;

#define BEGUN "COALESCE(json_extract(progress, '$.step'), 0) > 0"

static const Transition transitions[] = {
    {"pause", "status = 'running' AND wish IN ('', 'pause')", "wish = 'pause'", THEN_NOTHING, true},
    {"pause", "status = 'queued' AND wish = ''", "status = 'paused', not_before = 0", THEN_LOG,
     false},
    {"resume", "status = 'running' AND wish = 'pause'", "wish = ''", THEN_NOTHING, true},
    {"resume", "status = 'paused'", "status = 'queued'", THEN_LOG, false},
    {"stop", "status = 'running' AND wish IN ('', 'pause', 'stop')", "wish = 'stop'", THEN_NOTHING,
     true},
    {"stop", "status IN ('queued', 'paused') AND " BEGUN,
     "status = 'queued', wish = 'stop', not_before = 0", THEN_LOG, false},
    {"cancel", "status = 'running'", "wish = 'cancel'", THEN_NOTHING, true},
    {"cancel", "status IN ('queued', 'paused')",
     "status = 'cancelled', wish = '', finished_at = ?2", THEN_END, false},
};

typedef struct Wish {
    const char *id, *wish;
    bool running;
} Wish;

// Why a change met no row: there is no such job, or its state forbids it.
static int refusal(sqlite3 *database, const char *id) {
    int64_t one = 0;
    int result = sql_integer(database, &one, "SELECT 1 FROM jobs WHERE id = ?", "s", id);
    return result == OK ? ERR_CONFLICT : result;
}

static int transition_try(sqlite3 *database, const Transition *transition, const char *id) {
    Text sql;
    text_init(&sql);
    text_add_format(&sql, "UPDATE jobs SET %s WHERE id = ?1 AND ?2 > 0 AND %s", transition->set,
                    transition->when);
    int result =
        sql.failed ? ERR_NO_MEMORY : sql_change(database, text_string(&sql), "sl", id, time_now());
    text_finish(&sql);
    if (result == OK && transition->then == THEN_LOG)
        result = job_log_state(database, id, NULL);
    if (result == OK && transition->then == THEN_END)
        result = job_log_end(database, id);
    return result;
}

static int wish_change(sqlite3 *database, void *argument) {
    Wish *wish = argument;
    for (size_t i = 0; i < ARRAY_LENGTH(transitions); i++) {
        if (strcmp(transitions[i].wish, wish->wish) != 0)
            continue;
        int result = transition_try(database, &transitions[i], wish->id);
        wish->running = transitions[i].running;
        if (result != ERR_CONFLICT)
            return result;
    }
    return refusal(database, wish->id);
}

int jobs_wish(Store *store, const char *id, const char *wish, bool *ret_running) {
    Wish change = {.id = id, .wish = wish};
    int result = store_write(store, wish_change, &change);
    if (result != OK)
        return result;
    *ret_running = change.running;
    if (!change.running && strcmp(wish, "cancel") == 0)
        jobs_remove_files(store, id);
    return OK;
}

void jobs_remove_files(Store *store, const char *id) {
    files_remove_checkpoints(store_directory(store), id);
}

void jobs_wished(Store *store, const char *id, char ret_wish[8]) {
    JobRow row;
    ret_wish[0] = '\0';
    if (jobs_get(store, id, &row) != OK)
        return;
    memcpy(ret_wish, row.wish, sizeof row.wish);
    job_row_finish(&row);
}

// ---- forgetting ----

static int delete_change(sqlite3 *database, void *argument) {
    const char *id = argument;
    int result = sql_change(database,
                            "DELETE FROM jobs WHERE id = ? AND status IN ('succeeded', 'failed',"
                            " 'cancelled')",
                            "s", id);
    return result == ERR_CONFLICT ? refusal(database, id) : result;
}

int jobs_delete(Store *store, const char *id) {
    return store_write(store, delete_change, (void *)id);
}
