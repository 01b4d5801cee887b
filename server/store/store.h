// The store: SQLite behind one writer.
//
// One thread owns the one read-write connection (WAL, synchronous=FULL) and runs every change:
// callers hand it a function and sleep until the transaction that holds it is committed; what
// arrives meanwhile shares one commit (group commit, at most 20 ms or 1,000 changes). Each function
// runs in a savepoint of its own: its error undoes it alone. After a failed fsync the store stops
// acknowledging (ERR_IO) and says so by store_failed: the program must end then, and the next start
// reads what the disk really holds. A full disk is ERR_UNAVAILABLE: nothing was changed, and it may
// pass. Readers use short read-only connections from a small pool. A lock file keeps a second
// server out.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/text.h"

typedef struct Store Store;
struct sqlite3;

// Opens DIR/backpropd.db (made if missing, with DIR and its folders datasets, models, checkpoints,
// tmp), migrates it, and removes files that belong to no row (what a crash left between a file and
// its row). ERR_CONFLICT: another server holds DIR/lock, or a newer program wrote the database; the
// log says which.
int store_open(const char *directory, Store **ret_store);
void store_close(Store *store); // takes NULL; commits what waits
bool store_failed(const Store *store);
bool store_full(const Store *store); // the newest change met a full disk
typedef struct StoreFigures {
    int64_t changes, commits; // since the start
    double waited_seconds;    // all changes together, from their arrival to their commit
    int64_t waiting;          // changes now
    double lag_seconds;       // of the oldest of them
} StoreFigures;
void store_figures(Store *store, StoreFigures *ret_figures);
int store_directory(const Store *store);    // descriptor of DIR
const char *store_path(const Store *store); // DIR

// ---- for the files of server/store only ----
typedef int (*StoreChange)(struct sqlite3 *database, void *argument);
int store_write(Store *store, StoreChange change,
                void *argument); // what `change` returned, or ERR_IO
struct sqlite3 *
store_reader(Store *store); // borrow a read-only connection; waits for one; NULL where none opens
void store_release(Store *store, struct sqlite3 *reader); // takes NULL
struct Keys;
struct Keys *store_keys(Store *store); // keys.c's: the reservations
