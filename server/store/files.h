// The files of rows: DIR/datasets/ID.bpa, DIR/models/ID.bpa, DIR/checkpoints/JOB.{a,b}, DIR/tmp.
// For server/store.
#pragma once
#include <sqlite3.h>

int files_make_folders(int directory);
// Removes what belongs to no row: files beside a row that was never committed, checkpoints of ended
// jobs, all of tmp. Only at the start, while no worker lives.
int files_sweep(sqlite3 *database, int directory);
void files_remove(int directory, const char *folder,
                  const char *id); // DIR/folder/ID.bpa, where it is there
void files_remove_checkpoints(int directory, const char *job); // those that are there
