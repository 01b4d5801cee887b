// Moving an alias within a change. For server/store.
#pragma once
#include <sqlite3.h>

// The job has succeeded: its alias, if it has one, points to this model from now on.
int alias_follow(sqlite3 *database, const char *job, const char *model);
