// Where waiting jobs stand in the queue: by priority, then by age. For server/store.
//
// To count those ahead takes as long as the queue is, which is nothing for one job and too much for a page of them. In a list from
// the newest to the oldest each stands as far ahead of the last one of its priority as there are waiting ones between the two.
#pragma once
#include <stddef.h>
#include <sqlite3.h>
#include "server/store/store.h"
#include "server/store/tables.h"

enum { PLACES_KNOWN = 21 }; // as many as there are priorities

typedef struct
    Places { // {0} at first; for rows that come in descending order of their ids, in one read transaction
    struct {
        int priority;
        char id[ID_TEXT]; // of the last row of it
        int64_t place;
    } known[PLACES_KNOWN];
    size_t count;
} Places;

// Sets the row's queue_position; from 1, 0 where it does not wait.
int place_find(sqlite3 *reader, Places *places, JobRow *row);
