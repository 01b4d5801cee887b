#include "server/store/places.h"

#include <string.h>
#include "core/base/error.h"
#include "server/store/sql.h"

// By the index alone, in its order: SQLite by itself would look up each waiting job.
#define WAITING "SELECT COUNT(*) FROM jobs INDEXED BY jobs_queued WHERE status = 'queued' AND "

static int count_ahead(sqlite3 *reader, const JobRow *row, int64_t *ret_count) {
    int64_t above = 0, before = 0;
    int result = sql_integer(reader, &above, WAITING "priority > ?", "i", row->priority);
    if (result == OK)
        result = sql_integer(reader, &before, WAITING "priority = ? AND id < ?", "is",
                             row->priority, row->id);
    *ret_count = above + before;
    return result;
}

int place_find(sqlite3 *reader, Places *places, JobRow *row) {
    if (strcmp(row->status, "queued") != 0)
        return OK;
    size_t i = 0;
    while (i < places->count && places->known[i].priority != row->priority)
        i++;
    int64_t count = 0;
    int result;
    if (i < places->count) {
        result = sql_integer(reader, &count, WAITING "priority = ? AND id >= ? AND id < ?", "iss",
                             row->priority, row->id, places->known[i].id);
        count = places->known[i].place - count;
    } else {
        result = count_ahead(reader, row, &count);
        count++;
    }
    if (result != OK)
        return result;
    row->queue_position = count;
    if (i < PLACES_KNOWN) {
        places->known[i].priority = row->priority;
        memcpy(places->known[i].id, row->id, sizeof row->id);
        places->known[i].place = count;
        places->count = i < places->count ? places->count : i + 1;
    }
    return OK;
}
