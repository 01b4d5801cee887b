// The table `diagnoses`: one row a job, replaced while it runs.
#include "server/store/sql.h"
#include "server/store/tables.h"

typedef struct Put {
    const char *job, *json;
    size_t length;
    int attempt;
} Put;

static int put_change(sqlite3 *database, void *argument) {
    const Put *put = argument;
    return sql_change(
        database,
        "INSERT INTO diagnoses (job, body) SELECT id, CAST(? AS TEXT) FROM jobs WHERE id = ? AND "
        "status = 'running' AND attempt = ? ON CONFLICT (job) DO UPDATE SET body = excluded.body",
        "bsl", put->json, put->length, put->job, (int64_t)put->attempt);
}

int diagnoses_put(Store *store, const char *job, int attempt, const char *json, size_t length) {
    Put put = {job, json, length, attempt};
    return store_write(store, put_change, &put);
}

int diagnoses_get(Store *store, const char *job, char **ret_json) {
    return sql_read_text(store, ret_json, "SELECT body FROM diagnoses WHERE job = ?", job);
}
