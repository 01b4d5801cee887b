// SQLite statements in few words, and rows as C structs by a table of their columns. For
// server/store alone.
//
// Parameters are always bound, by a text of types: 's' const char * (NULL binds NULL), 'i' int, 'l'
// int64_t, 'b' const void * and size_t.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>
#include "core/base/memory.h"
#include "server/store/store.h"

enum { SQL_ROW = 1 }; // sql_step: there is a row

static inline void statement_finish(sqlite3_stmt **statement) {
    sqlite3_finalize(*statement);
}
#define AUTO_STATEMENT CLEANUP(statement_finish)

// The code for what the connection reported last: a full disk is ERR_UNAVAILABLE, a broken
// constraint ERR_EXISTS.
int sql_error(sqlite3 *database);
int sql_prepare(sqlite3 *database, sqlite3_stmt **ret_statement, const char *sql, const char *types,
                ...);
int sql_step(sqlite3_stmt *statement); // SQL_ROW, OK at the end, or an error
int sql_run(sqlite3 *database, const char *sql, const char *types, ...); // to its end
// As sql_run; ERR_CONFLICT where no row was changed.
int sql_change(sqlite3 *database, const char *sql, const char *types, ...);
// The first column of the first row; ERR_NOT_FOUND without a row.
int sql_integer(sqlite3 *database, int64_t *ret_integer, const char *sql, const char *types, ...);

// A text of the row that the statement stands on, borrowed; NULL where it is NULL. ERR_NO_MEMORY: SQLite had none to hand
// it over, which must not pass for NULL.
int sql_text(sqlite3_stmt *statement, int column, const char **ret_text);

// The text that a query by an id gives, by a reader of the store's; owned. ERR_NOT_FOUND without a row.
int sql_read_text(Store *store, char **ret_text, const char *sql, const char *id);

typedef enum ColumnType {
    COLUMN_TEXT,    // char *, owned; NULL for NULL
    COLUMN_FIXED,   // char [size]
    COLUMN_INTEGER, // int64_t
    COLUMN_INT,     // int
} ColumnType;

typedef struct Column {
    const char *name;
    ColumnType type;
    size_t offset, size;
} Column;

#define COLUMN(Row, field, type)                                                                   \
    { #field, type, offsetof(Row, field), sizeof(((Row *)0)->field) }

typedef struct RowTable {
    const char *name;
    const Column *columns; // [count]
    size_t count, row_size;
} RowTable;

// "SELECT columns FROM table " + tail.
int row_select(sqlite3 *database, const RowTable *table, sqlite3_stmt **ret_statement,
               const char *tail, const char *types, ...);
// Reads the row that the statement stands on into zeroed memory; ERR_NO_MEMORY leaves nothing to
// finish.
int row_read(const RowTable *table, sqlite3_stmt *statement, void *ret_row);
int row_get(sqlite3 *database, const RowTable *table, const char *id,
            void *ret_row); // ERR_NOT_FOUND
void row_finish(const RowTable *table, void *row);
int row_insert(sqlite3 *database, const RowTable *table, const void *row);
