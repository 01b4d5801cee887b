// The records of a job's states: each is written in the transaction that makes the state.
#include "server/store/job_log.h"
#include "core/base/error.h"
#include "server/base/json_out.h"
#include "server/store/record.h"
#include "server/store/sql.h"
#include "server/store/tables.h"

static int state_text(sqlite3 *database, const char *id, JsonOut *out) {
    AUTO_STATEMENT sqlite3_stmt *statement = NULL;
    int result =
        sql_prepare(database, &statement,
                    "SELECT status, attempt, progress, metrics, best, NULLIF(model, ''), error"
                    " FROM jobs WHERE id = ?",
                    "s", id);
    if (result == OK)
        result = sql_step(statement);
    if (result != SQL_ROW)
        return result == OK ? ERR_NOT_FOUND : result;
    const char *texts[7];
    for (int i = 0; i < (int)ARRAY_LENGTH(texts); i++)
        if ((result = sql_text(statement, i, &texts[i])) != OK)
            return result;
    json_begin_object(out, NULL);
    json_string(out, "status", texts[0]);
    json_raw(out, "attempt", texts[1]);
    json_raw(out, "progress", texts[2]);
    json_raw(out, "metrics", texts[3]);
    json_raw(out, "best", texts[4]);
    json_string(out, "model", texts[5]);
    json_raw(out, "error", texts[6]);
    json_end_object(out);
    return out->text.failed ? ERR_NO_MEMORY : OK;
}

// Appends the state as it now is, as a record of `kind`.
static int log_as(sqlite3 *database, const char *id, const char *kind, int64_t *ret_seq) {
    JsonOut out;
    json_init(&out);
    int result = state_text(database, id, &out);
    if (result == OK) {
        Record record = {.kind = kind, .body = text_string(&out.text), .length = out.text.length};
        result = record_insert(database, id, &record, ret_seq);
    }
    json_finish(&out);
    return result;
}

int job_log_state(sqlite3 *database, const char *id, int64_t *ret_seq) {
    return log_as(database, id, "status", ret_seq);
}

int job_log_end(sqlite3 *database, const char *id) {
    int result = log_as(database, id, "status", NULL);
    return result == OK ? log_as(database, id, "end", NULL) : result;
}
