// Forgetting what is old: jobs that have ended, with their logs, and idempotency keys. In small changes, so that nobody
// waits for a large one.
#include <stdio.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/store/files.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

enum { RECORDS_AT_ONCE = 5000 };

typedef struct Expiry {
    int64_t before;
    char job[ID_TEXT]; // the one that the change worked on; "": none is left
    bool removed;      // it is gone; else only some of its records are
} Expiry;

static int expire_change(sqlite3 *database, void *argument) {
    Expiry *expiry = argument;
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    expiry->job[0] = '\0';
    expiry->removed = false;
    int result =
        sql_prepare(database, &statement,
                    "SELECT id FROM jobs WHERE finished_at > 0 AND finished_at < ? LIMIT 1", "l",
                    expiry->before);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK
                   ? sql_run(database, "DELETE FROM keys WHERE created_at < ?", "l", expiry->before)
                   : result;
    snprintf(expiry->job, sizeof expiry->job, "%s",
             (const char *)sqlite3_column_text(statement, 0));
    result = sql_run(database,
                     "DELETE FROM records WHERE rowid IN"
                     " (SELECT rowid FROM records WHERE job = ? LIMIT ?)",
                     "si", expiry->job, RECORDS_AT_ONCE);
    if (result != OK || sqlite3_changes(database) == RECORDS_AT_ONCE)
        return result;
    expiry->removed = true;
    return sql_run(database, "DELETE FROM jobs WHERE id = ?", "s", expiry->job);
}

int store_expire(Store *store, int64_t before, int most, int64_t *ret_jobs) {
    Expiry expiry = {.before = before};
    *ret_jobs = 0;
    for (int i = 0; i < most; i++) {
        int result = store_write(store, expire_change, &expiry);
        if (result != OK || expiry.job[0] == '\0')
            return result;
        if (expiry.removed) {
            files_remove_checkpoints(store_directory(store), expiry.job);
            ++*ret_jobs;
        }
    }
    return ERR_UNAVAILABLE;
}
