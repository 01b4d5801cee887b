// Inserting a confusion matrix within a change. For server/store.
#pragma once
#include <sqlite3.h>

int confusion_insert(sqlite3 *database, const char *job, const char *json);
