// The table `drifts`: what the server has counted of the inputs that models were asked about, as it is in memory.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Put {
    const char *model;
    const DriftRow *row;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    int64_t one = 0;
    int error = sql_integer(database, &one, "SELECT 1 FROM models WHERE id = ?", "s", put->model);
    if (error != OK)
        return error;
    return sql_run(database,
                   "INSERT INTO drifts (model, since, rows, body) VALUES (?, ?, ?, ?)"
                   " ON CONFLICT (model) DO UPDATE SET since = excluded.since,"
                   " rows = excluded.rows, body = excluded.body",
                   "sllb", put->model, put->row->since, put->row->rows, put->row->body,
                   put->row->length);
}

int drifts_put(Store *store, const char *model, const DriftRow *row) {
    Put put = {model, row};
    return store_write(store, put_change, &put);
}

int drifts_get(Store *store, const char *model, DriftRow *ret_row) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int error = sql_prepare(reader, &statement,
                            "SELECT since, rows, body FROM drifts WHERE model = ?", "s", model);
    if (error == OK)
        error = sql_step(statement);
    if (error == SQL_ROW) {
        size_t length = (size_t)sqlite3_column_bytes(statement, 2);
        DriftRow row = {.since = sqlite3_column_int64(statement, 0),
                        .rows = sqlite3_column_int64(statement, 1),
                        .length = length,
                        .body = memory_array(length, 1)};
        error = row.body == NULL ? ERR_NO_MEMORY : OK;
        if (error == OK && length > 0)
            memcpy(row.body, sqlite3_column_blob(statement, 2), length);
        if (error == OK)
            *ret_row = row;
    } else if (error == OK) {
        error = ERR_NOT_FOUND;
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return error;
}
