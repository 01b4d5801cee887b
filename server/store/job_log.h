// What the states of a job leave in its log. For server/store, within a change.
#pragma once
#include <sqlite3.h>
#include <stdint.h>

// Appends the job's state as it now is as a `status` record; ret_seq: its number, or NULL.
int job_log_state(sqlite3 *database, const char *id, int64_t *ret_seq);
// The same where the job has ended: then an `end` record follows.
int job_log_end(sqlite3 *database, const char *id);
