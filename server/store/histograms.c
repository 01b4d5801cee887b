// The table `histograms`: one row for each step of a job at which they were taken, thinned as the run grows.
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Put {
    const char *job;
    int attempt;
    const HistogramsRow *row;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    const HistogramsRow *row = put->row;
    int result =
        sql_change(database,
                   "INSERT OR REPLACE INTO histograms (job, step, body) SELECT id, ?, CAST(? AS "
                   "TEXT) FROM jobs WHERE id = ? AND status = 'running' AND attempt = ?",
                   "lbsl", row->step, row->json, row->length, put->job, (int64_t)put->attempt);
    if (result == OK)
        result = sql_run(database, "DELETE FROM histograms WHERE job = ? AND (step - 1) % ? <> 0",
                         "sl", put->job, row->interval);
    return result;
}

int histograms_put(Store *store, const char *job, int attempt, const HistogramsRow *row) {
    Put put = {job, attempt, row};
    return store_write(store, put_change, &put);
}

static int each_read(sqlite3 *reader, const char *job,
                     int (*found)(void *context, int64_t step, const char *json), void *context) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(reader, &statement,
                    "SELECT step, body FROM histograms WHERE job = ? ORDER BY step", "s", job);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        const char *json = (const char *)sqlite3_column_text(statement, 1);
        result =
            json == NULL ? ERR_NO_MEMORY : found(context, sqlite3_column_int64(statement, 0), json);
    }
    return result;
}

int histograms_each(Store *store, const char *job,
                    int (*found)(void *context, int64_t step, const char *json), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result = each_read(reader, job, found, context);
    store_release(store, reader);
    return result;
}
