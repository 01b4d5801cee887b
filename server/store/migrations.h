// The steps of the schema, embedded from migrations/*.sql, and what runs those that are missing.
#pragma once
#include <stddef.h>
#include <sqlite3.h>

typedef struct Migration {
    int version; // 1, 2, …
    const char *name, *sql;
} Migration;

extern const Migration migrations[]; // [migration_count]
extern const size_t migration_count;

// Each in a transaction of its own. ERR_CONFLICT: a newer program wrote this database.
int migrations_run(sqlite3 *database);
