// Appending to a job's log within a change. For server/store.
#pragma once
#include <sqlite3.h>
#include "server/store/tables.h"

int record_insert(sqlite3 *database, const char *job, const Record *record, int64_t *ret_seq);
