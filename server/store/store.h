// The store: SQLite behind one writer.
//
// One thread owns the one read-write connection (WAL, synchronous=FULL) and runs every change: callers hand it a function
// and sleep until the transaction that holds it is committed; what arrives meanwhile shares one commit (group commit, at
// most 20 ms or 1,000 changes). Each function runs in a savepoint of its own: its error undoes it alone. After a failed
// fsync or commit the store stops acknowledging (ERR_IO) and says so by store_failed.
// Readers use short read-only connections from a small pool. A lock file keeps a second server out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/text.h"

typedef struct Store Store;
struct sqlite3;

// Opens DIR/backpropd.db (made if missing, with DIR and its folders datasets, models, checkpoints, tmp), migrates it.
// ERR_CONFLICT: another server holds DIR/lock.
int store_open(const char *directory, Store **ret_store);
void store_close(Store *store); // takes NULL; commits what waits
bool store_failed(const Store *store);
int store_directory(const Store *store); // descriptor of DIR
const char *store_path(const Store *store); // DIR

// ---- for the files of server/store only ----
typedef int (*StoreChange)(struct sqlite3 *database, void *argument);
int store_write(Store *store, StoreChange change, void *argument); // what `change` returned, or ERR_IO
struct sqlite3 *store_reader(Store *store); // borrow a read-only connection; NULL without one
void store_release(Store *store, struct sqlite3 *reader);
