// The table `aliases`: names that point to models. A model that one points to cannot be deleted, so an alias never points
// nowhere.
#include "server/store/aliases.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

static const Column columns[] = {
    COLUMN(AliasRow, name, COLUMN_FIXED),
    COLUMN(AliasRow, model, COLUMN_FIXED),
    COLUMN(AliasRow, updated_at, COLUMN_INTEGER),
};
static const RowTable table = {"aliases", columns, ARRAY_LENGTH(columns), sizeof(AliasRow)};

static const char model_prefix[] = "mdl_";

bool alias_valid(const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(name);
    return length > 0 && length < ALIAS_TEXT && strspn(name, letters) == length && name[0] != '.' &&
           strncmp(name, model_prefix, sizeof model_prefix - 1) != 0;
}

#define PUT                                                                                        \
    "INSERT INTO aliases (name, model, updated_at) VALUES (?, ?, ?)"                               \
    " ON CONFLICT (name) DO UPDATE SET model = excluded.model, updated_at = excluded.updated_at"

int alias_follow(sqlite3 *database, const char *job, const char *model) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    char name[ALIAS_TEXT];
    int result = sql_prepare(database, &statement,
                             "SELECT alias FROM jobs WHERE id = ? AND alias <> ''", "s", job);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result;
    snprintf(name, sizeof name, "%s", (const char *)sqlite3_column_text(statement, 0));
    return sql_run(database, PUT, "ssl", name, model, time_now());
}

typedef struct Put {
    const char *name, *model;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    int64_t one = 0;
    int result = sql_integer(database, &one, "SELECT 1 FROM models WHERE id = ?", "s", put->model);
    return result == OK ? sql_run(database, PUT, "ssl", put->name, put->model, time_now()) : result;
}

int aliases_put(Store *store, const char *name, const char *model) {
    Put put = {name, model};
    return store_write(store, put_change, &put);
}

static int delete_change(sqlite3 *database, void *argument) {
    int result =
        sql_change(database, "DELETE FROM aliases WHERE name = ?", "s", (const char *)argument);
    return result == ERR_CONFLICT ? ERR_NOT_FOUND : result;
}

int aliases_delete(Store *store, const char *name) {
    return store_write(store, delete_change, (void *)name);
}

int aliases_list(Store *store, const char *model, const char *cursor, int limit,
                 int (*found)(void *context, const AliasRow *row), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result = row_select(reader, &table, &statement,
                            "WHERE (?1 IS NULL OR model = ?1) AND (?2 IS NULL OR name > ?2)"
                            " ORDER BY name LIMIT ?3",
                            "ssi", model, cursor, limit);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        AliasRow row;
        result = row_read(&table, statement, &row);
        if (result == OK) {
            result = found(context, &row);
            row_finish(&table, &row);
        }
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

int aliases_get(Store *store, const char *name, AliasRow *ret_row) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    int result = row_select(reader, &table, &statement, "WHERE name = ?", "s", name);
    if (result == OK)
        result = sql_step(statement);
    if (result == SQL_ROW)
        result = row_read(&table, statement, ret_row);
    else if (result == OK)
        result = ERR_NOT_FOUND;
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

int models_resolve(Store *store, const char *name, char ret_id[ID_TEXT]) {
    AliasRow row;
    if (strncmp(name, model_prefix, sizeof model_prefix - 1) == 0) {
        if (strlen(name) >= ID_TEXT)
            return ERR_NOT_FOUND;
        snprintf(ret_id, ID_TEXT, "%s", name);
        return OK;
    }
    int result = alias_valid(name) ? aliases_get(store, name, &row) : ERR_NOT_FOUND;
    if (result == OK)
        snprintf(ret_id, ID_TEXT, "%s", row.model);
    return result;
}
