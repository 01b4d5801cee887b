// The table `confusions`. Rows are made by jobs_succeed (jobs.c), in the transaction that ends their job, and go with it.
#include "server/store/confusions.h"
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

int confusion_insert(sqlite3 *database, const char *job, const char *json) {
    return sql_run(database, "INSERT INTO confusions (job, body) VALUES (?, ?)", "ss", job, json);
}

int confusions_get(Store *store, const char *job, char **ret_json) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(reader, &statement, "SELECT body FROM confusions WHERE job = ?", "s", job);
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
