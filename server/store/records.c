// A job's log. The seq of a record comes from its job's row, so it only grows: what is forgotten
// leaves a gap, and a viewer who goes on after a seq misses nothing.
#include <string.h>
#include "core/base/error.h"
#include "server/base/table.h"
#include "server/store/record.h"
#include "server/store/sql.h"

int record_insert(sqlite3 *database, const char *job, const Record *record, int64_t *ret_seq) {
    int64_t seq = 0;
    int result =
        sql_change(database, "UPDATE jobs SET last_seq = last_seq + 1 WHERE id = ?", "s", job);
    if (result == OK)
        result = sql_integer(database, &seq, "SELECT last_seq FROM jobs WHERE id = ?", "s", job);
    if (result == OK)
        result = sql_run(database, "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", "slslllb",
                         job, seq, record->kind, record->first_step, record->last_step, time_now(),
                         record->body, record->length);
    if (result == OK && ret_seq != NULL)
        *ret_seq = seq;
    return result;
}

// ---- appending ----

typedef struct Append {
    const char *job;
    int attempt;
    const Record *records; // [count]
    size_t count;
} Append;

static int attempt_check(sqlite3 *database, const char *job, int attempt) {
    int64_t one = 0;
    int result = sql_integer(
        database, &one, "SELECT 1 FROM jobs WHERE id = ? AND status = 'running' AND attempt = ?",
        "si", job, attempt);
    return result == ERR_NOT_FOUND ? ERR_CONFLICT : result;
}

// A resumed run finds again what it had found before its checkpoint.
static int finding_known(sqlite3 *database, const char *job, const Record *record,
                         bool *ret_known) {
    int64_t one = 0;
    int result = sql_integer(database, &one,
                             "SELECT 1 FROM records WHERE job = ?1 AND kind = 'finding'"
                             " AND json_extract(CAST(body AS TEXT), '$.code')"
                             "  IS json_extract(CAST(?2 AS TEXT), '$.code')"
                             " AND json_extract(CAST(body AS TEXT), '$.layer')"
                             "  IS json_extract(CAST(?2 AS TEXT), '$.layer')",
                             "sb", job, record->body, record->length);
    if (result != OK && result != ERR_NOT_FOUND)
        return result;
    *ret_known = result == OK;
    return OK;
}

static int append_change(sqlite3 *database, void *argument) {
    const Append *append = argument;
    int result = attempt_check(database, append->job, append->attempt);
    for (size_t i = 0; i < append->count && result == OK; i++) {
        const Record *record = &append->records[i];
        bool known = false;
        if (strcmp(record->kind, "finding") == 0)
            result = finding_known(database, append->job, record, &known);
        if (result == OK && !known)
            result = record_insert(database, append->job, record, NULL);
    }
    return result;
}

int records_append(Store *store, const char *job, int attempt, const Record *records,
                   size_t count) {
    Append append = {job, attempt, records, count};
    return store_write(store, append_change, &append);
}

// ---- forgetting ----

typedef struct Forget {
    const char *job;
    int attempt;
    int64_t step;
} Forget;

// The rows of a table up to `step`, encoded anew: NULL where none is left.
static int table_cut(const void *body, size_t length, int64_t step, uint8_t **ret_bytes,
                     size_t *ret_length, int64_t *ret_last_step) {
    TableView view;
    const char *names[TABLE_COLUMNS_MAX];
    double values[TABLE_COLUMNS_MAX];
    Table table;
    int result = table_view(body, length, &view);
    if (result != OK)
        return result;
    for (int i = 0; i < view.columns; i++)
        names[i] = view.names[i];
    result = table_init(&table, names, view.columns);
    if (result != OK)
        return result;
    for (size_t row = 0; row < view.rows && result == OK; row++) {
        int64_t at = table_step(&view, row);
        if (at > step)
            continue;
        for (int i = 0; i < view.columns; i++)
            values[i] = table_value(&view, i, row);
        result = table_add(&table, at, values);
        *ret_last_step = at;
    }
    if (result == OK)
        result = table_encode(&table, ret_bytes, ret_length);
    table_finish(&table);
    return result;
}

// A record that lies on both sides of `step` keeps the rows up to it. Workers send what they have
// before each checkpoint, so this is rare: a checkpoint of another attempt.
static int straddling_cut(sqlite3 *database, const Forget *forget) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = sql_prepare(database, &statement,
                             "SELECT rowid, body FROM records WHERE job = ? AND kind IN ('metrics',"
                             " 'gradients') AND first_step <= ? AND last_step > ?",
                             "sll", forget->job, forget->step, forget->step);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        AUTO_FREE uint8_t *bytes = NULL;
        size_t length = 0;
        int64_t last_step = 0;
        result =
            table_cut(sqlite3_column_blob(statement, 1), (size_t)sqlite3_column_bytes(statement, 1),
                      forget->step, &bytes, &length, &last_step);
        if (result == OK)
            result = sql_run(database, "UPDATE records SET body = ?, last_step = ? WHERE rowid = ?",
                             "bll", bytes, length, last_step,
                             (int64_t)sqlite3_column_int64(statement, 0));
    }
    return result;
}

static int forget_change(sqlite3 *database, void *argument) {
    const Forget *forget = argument;
    int result = attempt_check(database, forget->job, forget->attempt);
    if (result == OK)
        result = sql_run(database,
                         "DELETE FROM records WHERE job = ? AND first_step > ?"
                         " AND kind IN ('metrics', 'gradients', 'finding')",
                         "sl", forget->job, forget->step);
    if (result == OK)
        result = sql_run(database, "DELETE FROM histograms WHERE job = ? AND step > ?", "sl",
                         forget->job, forget->step);
    if (result == OK)
        result = straddling_cut(database, forget);
    return result;
}

int records_forget_after(Store *store, const char *job, int attempt, int64_t step) {
    Forget forget = {job, attempt, step};
    return store_write(store, forget_change, &forget);
}

// ---- reading ----

static int records_read(sqlite3 *reader, const char *job, const char *kind, int64_t seq, int limit,
                        int (*found)(void *context, const Record *record), void *context) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = sql_prepare(
        reader, &statement,
        kind == NULL ? "SELECT seq, kind, first_step, last_step, created_at, body FROM records"
                       " WHERE job = ?1 AND seq > ?3 ORDER BY seq LIMIT ?4"
                     : "SELECT seq, kind, first_step, last_step, created_at, body FROM records"
                       " WHERE job = ?1 AND kind = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4",
        "ssli", job, kind, seq, limit);
    while (result == OK && (result = sql_step(statement)) == SQL_ROW) {
        Record record = {
            .seq = sqlite3_column_int64(statement, 0),
            .kind = (const char *)sqlite3_column_text(statement, 1),
            .first_step = sqlite3_column_int64(statement, 2),
            .last_step = sqlite3_column_int64(statement, 3),
            .created_at = sqlite3_column_int64(statement, 4),
            .body = sqlite3_column_blob(statement, 5),
            .length = (size_t)sqlite3_column_bytes(statement, 5),
        };
        if (record.kind == NULL || record.body == NULL)
            return ERR_NO_MEMORY;
        result = found(context, &record);
    }
    return result;
}

int records_since(Store *store, const char *job, const char *kind, int64_t seq, int limit,
                  int (*found)(void *context, const Record *record), void *context) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result = records_read(reader, job, kind, seq, limit, found, context);
    store_release(store, reader);
    return result;
}

static int span_read(sqlite3 *reader, const char *job, const char *kind, int64_t *ret_first_step,
                     int64_t *ret_last_step) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result = sql_prepare(reader, &statement,
                             "SELECT MIN(first_step), MAX(last_step) FROM records"
                             " WHERE job = ? AND kind = ?",
                             "ss", job, kind);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_IO : result;
    if (sqlite3_column_type(statement, 0) == SQLITE_NULL)
        return ERR_NOT_FOUND;
    *ret_first_step = sqlite3_column_int64(statement, 0);
    *ret_last_step = sqlite3_column_int64(statement, 1);
    return OK;
}

int records_span(Store *store, const char *job, const char *kind, int64_t *ret_first_step,
                 int64_t *ret_last_step) {
    sqlite3 *reader = store_reader(store);
    if (reader == NULL)
        return ERR_IO;
    int result = span_read(reader, job, kind, ret_first_step, ret_last_step);
    store_release(store, reader);
    return result;
}
