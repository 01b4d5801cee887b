// Statements and rows. A column list is written once, in the RowTable: SELECT, INSERT, reading and
// freeing follow it.
#include "server/store/sql.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/text.h"

int sql_error(sqlite3 *database) {
    switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_FULL:
        return ERR_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    default:
        return ERR_IO;
    }
}

static int prepare_list(sqlite3 *database, sqlite3_stmt **ret_statement, const char *sql,
                        const char *types, va_list list) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK)
        return sql_error(database);
    for (int i = 0; types[i] != '\0'; i++) {
        int status = SQLITE_MISUSE;
        switch (types[i]) {
        case 's':
            status = sqlite3_bind_text(statement, i + 1, va_arg(list, const char *), -1,
                                       SQLITE_TRANSIENT);
            break;
        case 'i':
            status = sqlite3_bind_int(statement, i + 1, va_arg(list, int));
            break;
        case 'l':
            status = sqlite3_bind_int64(statement, i + 1, va_arg(list, int64_t));
            break;
        case 'b': {
            const void *bytes = va_arg(list, const void *);
            size_t length = va_arg(list, size_t);
            status = sqlite3_bind_blob64(statement, i + 1, bytes, length, SQLITE_TRANSIENT);
            break;
        }
        }
        if (status != SQLITE_OK) {
            sqlite3_finalize(statement);
            return status == SQLITE_TOOBIG
                       ? ERR_TOO_LARGE
                       : (status == SQLITE_NOMEM ? ERR_NO_MEMORY : ERR_INTERNAL);
        }
    }
    *ret_statement = statement;
    return OK;
}

int sql_prepare(sqlite3 *database, sqlite3_stmt **ret_statement, const char *sql, const char *types,
                ...) {
    va_list list;
    va_start(list, types);
    int result = prepare_list(database, ret_statement, sql, types, list);
    va_end(list);
    return result;
}

int sql_step(sqlite3_stmt *statement) {
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return SQL_ROW;
    case SQLITE_DONE:
        return OK;
    default: {
        int result = sql_error(sqlite3_db_handle(statement));
        return result == OK ? ERR_IO : result;
    }
    }
}

static int run_list(sqlite3 *database, const char *sql, const char *types, va_list list) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = prepare_list(database, &statement, sql, types, list);
    if (result != OK)
        return result;
    while ((result = sql_step(statement)) == SQL_ROW) {
    }
    return result;
}

int sql_run(sqlite3 *database, const char *sql, const char *types, ...) {
    va_list list;
    va_start(list, types);
    int result = run_list(database, sql, types, list);
    va_end(list);
    return result;
}

int sql_change(sqlite3 *database, const char *sql, const char *types, ...) {
    va_list list;
    va_start(list, types);
    int result = run_list(database, sql, types, list);
    va_end(list);
    return result == OK && sqlite3_changes(database) == 0 ? ERR_CONFLICT : result;
}

int sql_integer(sqlite3 *database, int64_t *ret_integer, const char *sql, const char *types, ...) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    va_list list;
    va_start(list, types);
    int result = prepare_list(database, &statement, sql, types, list);
    va_end(list);
    if (result != OK)
        return result;
    result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_NOT_FOUND : result;
    *ret_integer = sqlite3_column_int64(statement, 0);
    return OK;
}

int sql_text(sqlite3_stmt *statement, int column, const char **ret_text) {
    bool null = sqlite3_column_type(statement, column) == SQLITE_NULL;
    *ret_text = (const char *)sqlite3_column_text(statement, column);
    return null || *ret_text != NULL ? OK : ERR_NO_MEMORY;
}

int sql_read_text(Store *store, char **ret_text, const char *sql, const char *id) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    sqlite3_stmt *statement = NULL;
    const char *text = NULL;
    int result = sql_prepare(reader, &statement, sql, "s", id);
    if (result == OK)
        result = sql_step(statement);
    if (result == OK)
        result = ERR_NOT_FOUND;
    else if (result == SQL_ROW)
        result = sql_text(statement, 0, &text);
    if (result == OK) {
        *ret_text = memory_string(text);
        result = *ret_text == NULL ? ERR_NO_MEMORY : OK;
    }
    sqlite3_finalize(statement);
    store_release(store, reader);
    return result;
}

int row_select(sqlite3 *database, const RowTable *table, sqlite3_stmt **ret_statement,
               const char *tail, const char *types, ...) {
    Text sql;
    text_init(&sql);
    text_add(&sql, "SELECT ");
    for (size_t i = 0; i < table->count; i++)
        text_add_format(&sql, "%s%s", i > 0 ? ", " : "", table->columns[i].name);
    text_add_format(&sql, " FROM %s %s", table->name, tail);
    int result = ERR_NO_MEMORY;
    if (!sql.failed) {
        va_list list;
        va_start(list, types);
        result = prepare_list(database, ret_statement, text_string(&sql), types, list);
        va_end(list);
    }
    text_finish(&sql);
    return result;
}

int row_read(const RowTable *table, sqlite3_stmt *statement, void *ret_row) {
    memset(ret_row, 0, table->row_size);
    for (size_t i = 0; i < table->count; i++) {
        const Column *column = &table->columns[i];
        char *field = (char *)ret_row + column->offset;
        const char *text = NULL;
        switch (column->type) {
        case COLUMN_TEXT:
            if (sqlite3_column_type(statement, (int)i) == SQLITE_NULL)
                break;
            text = (const char *)sqlite3_column_text(statement, (int)i);
            char *copy = memory_string(text);
            if (copy == NULL) {
                row_finish(table, ret_row);
                return ERR_NO_MEMORY;
            }
            memcpy(field, &copy, sizeof copy);
            break;
        case COLUMN_FIXED:
            if (sql_text(statement, (int)i, &text) != OK) {
                row_finish(table, ret_row);
                return ERR_NO_MEMORY;
            }
            if (text != NULL)
                snprintf(field, column->size, "%s", text);
            break;
        case COLUMN_INTEGER: {
            int64_t integer = sqlite3_column_int64(statement, (int)i);
            memcpy(field, &integer, sizeof integer);
            break;
        }
        case COLUMN_INT: {
            int integer = sqlite3_column_int(statement, (int)i);
            memcpy(field, &integer, sizeof integer);
            break;
        }
        }
    }
    return OK;
}

int row_get(sqlite3 *database, const RowTable *table, const char *id, void *ret_row) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = row_select(database, table, &statement, "WHERE id = ?", "s", id);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_NOT_FOUND : result;
    return row_read(table, statement, ret_row);
}

void row_finish(const RowTable *table, void *row) {
    for (size_t i = 0; i < table->count; i++) {
        if (table->columns[i].type != COLUMN_TEXT)
            continue;
        char *text;
        memcpy(&text, (char *)row + table->columns[i].offset, sizeof text);
        memory_free(text);
    }
    memset(row, 0, table->row_size);
}

static int insert_prepare(sqlite3 *database, const RowTable *table, sqlite3_stmt **ret_statement) {
    Text sql;
    text_init(&sql);
    text_add_format(&sql, "INSERT INTO %s (", table->name);
    const char *comma = "";
    for (size_t i = 0; i < table->count; i++) {
        text_add_format(&sql, "%s%s", comma, table->columns[i].name);
        comma = ", ";
    }
    text_add(&sql, ") VALUES (");
    comma = "?";
    for (size_t i = 0; i < table->count; i++) {
        text_add(&sql, comma);
        comma = ", ?";
    }
    text_add(&sql, ")");
    int result =
        sql.failed ? ERR_NO_MEMORY : sql_prepare(database, ret_statement, text_string(&sql), "");
    text_finish(&sql);
    return result;
}

int row_insert(sqlite3 *database, const RowTable *table, const void *row) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = insert_prepare(database, table, &statement);
    if (result != OK)
        return result;
    int place = 0;
    for (size_t i = 0; i < table->count; i++) {
        const Column *column = &table->columns[i];
        const char *field = (const char *)row + column->offset;
        const char *text = field;
        int status = SQLITE_OK;
        place++;
        switch (column->type) {
        case COLUMN_TEXT:
            memcpy(&text, field, sizeof text);
            status = sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
            break;
        case COLUMN_FIXED:
            status = sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
            break;
        case COLUMN_INTEGER: {
            int64_t integer;
            memcpy(&integer, field, sizeof integer);
            status = sqlite3_bind_int64(statement, place, integer);
            break;
        }
        case COLUMN_INT: {
            int integer;
            memcpy(&integer, field, sizeof integer);
            status = sqlite3_bind_int(statement, place, integer);
            break;
        }
        }
        if (status != SQLITE_OK)
            return status == SQLITE_TOOBIG ? ERR_TOO_LARGE : ERR_NO_MEMORY;
    }
    return sql_step(statement);
}
