// Brings a database to the newest schema. What has run stands in the table `migrations`; a step
// runs wholly or not at all, so that a crash in the middle is mended by the next start.
#include "server/store/migrations.h"
#include "core/base/error.h"
#include "server/base/log.h"
#include "server/base/time.h"
#include "server/store/sql.h"

static int newest_version(sqlite3 *database, int *ret_version) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(database, &statement, "SELECT COALESCE(MAX(version), 0) FROM migrations", "");
    if (result != OK)
        return result;
    result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_IO : result;
    *ret_version = sqlite3_column_int(statement, 0);
    return OK;
}

static int migration_run(sqlite3 *database, const Migration *migration) {
    int result = sql_run(database, "BEGIN IMMEDIATE", "");
    if (result != OK)
        return result;
    char *message = NULL;
    if (sqlite3_exec(database, migration->sql, NULL, NULL, &message) != SQLITE_OK) {
        log_error("migration %s: %s", migration->name, message != NULL ? message : "failed");
        sqlite3_free(message);
        result = sql_error(database);
    }
    if (result == OK)
        result = sql_run(database, "INSERT INTO migrations VALUES (?, ?, ?)", "isl",
                         migration->version, migration->name, time_now());
    if (result == OK)
        result = sql_run(database, "COMMIT", "");
    if (result != OK && !sqlite3_get_autocommit(database))
        sql_run(database, "ROLLBACK", "");
    return result;
}

int migrations_run(sqlite3 *database) {
    int version = 0;
    int result = sql_run(database,
                         "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY,"
                         " name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT",
                         "");
    if (result == OK)
        result = newest_version(database, &version);
    if (result != OK)
        return result;
    if (version > (int)migration_count) {
        log_error("the database is at schema %d, this program knows only %zu", version,
                  migration_count);
        return ERR_CONFLICT;
    }
    for (size_t i = (size_t)version; i < migration_count; i++) {
        result = migration_run(database, &migrations[i]);
        if (result != OK)
            return result;
    }
    return OK;
}
