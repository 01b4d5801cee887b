// The table `histograms`: one row for each step of a job at which they were taken.
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Put {
    const char *job, *json;
    size_t length;
    int attempt;
    int64_t step;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    return sql_change(database,
                      "INSERT OR REPLACE INTO histograms (job, step, body) SELECT id, ?, CAST(? AS "
                      "TEXT) FROM jobs WHERE id = ? AND status = 'running' AND attempt = ?",
                      "lbsl", put->step, put->json, put->length, put->job, (int64_t)put->attempt);
}

int histograms_put(Store *store, const char *job, int attempt, int64_t step, const char *json,
                   size_t length) {
    Put put = {job, json, length, attempt, step};
    return store_write(store, put_change, &put);
}

int histograms_each(Store *store, const char *job,
                    int (*found)(void *context, int64_t step, const char *json), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(reader, &statement,
                    "SELECT step, body FROM histograms WHERE job = ? ORDER BY step", "s", job);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW)
        result = found(context, sqlite3_column_int64(statement, 0),
                       (const char *)sqlite3_column_text(statement, 1));
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}
