// The table `models`. Rows are made by jobs_succeed (jobs.c), in the transaction that ends their
// job.
#include "core/base/error.h"
#include "server/store/files.h"
#include "server/store/models.h"
#include "server/store/sql.h"

static const Column columns[] = {
    COLUMN(ModelRow, id, COLUMN_FIXED),         COLUMN(ModelRow, job, COLUMN_FIXED),
    COLUMN(ModelRow, name, COLUMN_TEXT),        COLUMN(ModelRow, spec, COLUMN_TEXT),
    COLUMN(ModelRow, input_shape, COLUMN_TEXT), COLUMN(ModelRow, classes, COLUMN_TEXT),
    COLUMN(ModelRow, metrics, COLUMN_TEXT),     COLUMN(ModelRow, parameters, COLUMN_INTEGER),
    COLUMN(ModelRow, bytes, COLUMN_INTEGER),    COLUMN(ModelRow, created_at, COLUMN_INTEGER),
    COLUMN(ModelRow, sha256, COLUMN_FIXED),
};
static const RowTable table = {"models", columns, ARRAY_LENGTH(columns), sizeof(ModelRow)};

void model_row_finish(ModelRow *row) {
    row_finish(&table, row);
}

int model_insert(sqlite3 *database, const ModelRow *row) {
    return row_insert(database, &table, row);
}

int models_get(Store *store, const char *id, ModelRow *ret_row) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result = row_get(reader, &table, id, ret_row);
    store_release(store, reader);
    return result;
}

int models_list(Store *store, const char *cursor, int limit,
                int (*found)(void *context, const ModelRow *row), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result =
        row_select(reader, &table, &statement,
                   "WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2", "si", cursor, limit);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        ModelRow row;
        result = row_read(&table, statement, &row);
        if (result == OK) {
            result = found(context, &row);
            model_row_finish(&row);
        }
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

static int delete_change(sqlite3 *database, void *argument) {
    const char *id = argument;
    int64_t one = 0;
    int result = sql_integer(database, &one,
                             "SELECT 1 FROM jobs WHERE initial = ? AND initial <> '' AND status IN"
                             " ('queued', 'running', 'paused') LIMIT 1",
                             "s", id);
    if (result != ERR_NOT_FOUND)
        return result == OK ? ERR_CONFLICT : result;
    result = sql_integer(database, &one, "SELECT 1 FROM aliases WHERE model = ?", "s", id);
    if (result != ERR_NOT_FOUND)
        return result == OK ? ERR_EXISTS : result;
    result = sql_change(database, "DELETE FROM models WHERE id = ?", "s", id);
    return result == ERR_CONFLICT ? ERR_NOT_FOUND : result;
}

int models_delete(Store *store, const char *id) {
    int result = store_write(store, delete_change, (void *)id);
    if (result == OK)
        files_remove(store_directory(store), "models", id);
    return result;
}
