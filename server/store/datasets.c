// The table `datasets`. A row and its file DIR/datasets/ID.bpa come and go together: the file
// first, the row last; on deletion the other way round.
#include "core/base/error.h"
#include "server/store/files.h"
#include "server/store/keys.h"
#include "server/store/sql.h"

static const Column columns[] = {
    COLUMN(DatasetRow, id, COLUMN_FIXED),          COLUMN(DatasetRow, name, COLUMN_TEXT),
    COLUMN(DatasetRow, task, COLUMN_TEXT),         COLUMN(DatasetRow, rows, COLUMN_INTEGER),
    COLUMN(DatasetRow, bytes, COLUMN_INTEGER),     COLUMN(DatasetRow, input_shape, COLUMN_TEXT),
    COLUMN(DatasetRow, target_shape, COLUMN_TEXT), COLUMN(DatasetRow, classes, COLUMN_TEXT),
    COLUMN(DatasetRow, sha256, COLUMN_FIXED),      COLUMN(DatasetRow, created_at, COLUMN_INTEGER),
    COLUMN(DatasetRow, profile, COLUMN_TEXT),      COLUMN(DatasetRow, findings, COLUMN_TEXT),
};
static const RowTable table = {"datasets", columns, ARRAY_LENGTH(columns), sizeof(DatasetRow)};

void dataset_row_finish(DatasetRow *row) {
    row_finish(&table, row);
}

typedef struct Insert {
    const DatasetRow *row;
    const KeyUse *key;
} Insert;

static int insert_change(sqlite3 *database, void *argument) {
    const Insert *insert = argument;
    int result = row_insert(database, &table, insert->row);
    return result == OK ? key_note(database, insert->key) : result;
}

int datasets_insert_keyed(Store *store, const DatasetRow *row, const KeyUse *key) {
    Insert insert = {row, key};
    return store_write(store, insert_change, &insert);
}

int datasets_insert(Store *store, const DatasetRow *row) {
    return datasets_insert_keyed(store, row, NULL);
}

int datasets_get(Store *store, const char *id, DatasetRow *ret_row) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result = row_get(reader, &table, id, ret_row);
    store_release(store, reader);
    return result;
}

int datasets_list(Store *store, const char *cursor, int limit,
                  int (*found)(void *context, const DatasetRow *row), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result =
        row_select(reader, &table, &statement,
                   "WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2", "si", cursor, limit);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        DatasetRow row;
        result = row_read(&table, statement, &row);
        if (result == OK) {
            result = found(context, &row);
            dataset_row_finish(&row);
        }
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

static int delete_change(sqlite3 *database, void *argument) {
    const char *id = argument;
    int64_t one = 0;
    int result =
        sql_integer(database, &one,
                    "SELECT 1 FROM jobs WHERE dataset = ? AND status IN ('queued', 'running',"
                    " 'paused') LIMIT 1",
                    "s", id);
    if (result != ERR_NOT_FOUND)
        return result == OK ? ERR_CONFLICT : result;
    result = sql_change(database, "DELETE FROM datasets WHERE id = ?", "s", id);
    return result == ERR_CONFLICT ? ERR_NOT_FOUND : result;
}

int datasets_delete(Store *store, const char *id) {
    int result = store_write(store, delete_change, (void *)id);
    if (result == OK)
        files_remove(store_directory(store), "datasets", id);
    return result;
}
