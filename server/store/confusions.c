// The table `confusions`. Rows are made by jobs_succeed (jobs.c), in the transaction that ends their job, and go with it.
#include "server/store/confusions.h"
#include "core/base/error.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

int confusion_insert(sqlite3 *database, const char *job, const char *json) {
    return sql_run(database, "INSERT INTO confusions (job, body) VALUES (?, ?)", "ss", job, json);
}

int confusions_get(Store *store, const char *job, char **ret_json) {
    return sql_read_text(store, ret_json, "SELECT body FROM confusions WHERE job = ?", job);
}
