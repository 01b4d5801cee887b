// The table `diagnoses`: one row a job, replaced while it runs.
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Put {
    const char *job, *json;
    size_t length;
    int attempt;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    int result = sql_change(
        database,
        "INSERT INTO diagnoses (job, body) SELECT id, CAST(? AS TEXT) FROM jobs WHERE id = ? AND "
        "status = 'running' AND attempt = ? ON CONFLICT (job) DO UPDATE SET body = excluded.body",
        "bsl", put->json, put->length, put->job, (int64_t)put->attempt);
    return result;
}

int diagnoses_put(Store *store, const char *job, int attempt, const char *json, size_t length) {
    Put put = {job, json, length, attempt};
    return store_write(store, put_change, &put);
}

int diagnoses_get(Store *store, const char *job, char **ret_json) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(reader, &statement, "SELECT body FROM diagnoses WHERE job = ?", "s", job);
    if (result == OK)
        result = sql_step(statement);
    if (result == SQL_ROW) {
        char *json = memory_string((const char *)sqlite3_column_text(statement, 0));
        result = json == NULL ? ERR_NO_MEMORY : OK;
        if (result == OK)
            *ret_json = json;
    } else if (result == OK) {
        result = ERR_NOT_FOUND;
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}
