// Inserting a model within a change. For server/store.
#pragma once
#include <sqlite3.h>
#include "server/store/tables.h"

int model_insert(sqlite3 *database, const ModelRow *row);
