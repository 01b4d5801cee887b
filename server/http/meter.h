// How many requests each route has answered, with which status and how fast. Counted without a lock.
//
// What is counted has bounded labels: the routes of the table, the page's files as one, what met no
// route as one; the statuses that we give.
#pragma once
#include <stdint.h>
#include "core/base/text.h"
#include "server/http/http.h"

typedef struct Meter Meter;

int meter_create(const RouteGroup *const *groups, Meter **ret_meter);
void meter_destroy(Meter *meter); // takes NULL
int64_t meter_clock(void);        // monotonic microseconds
// An answer goes out, so long after its request's first line came. route NULL: none was met; one that
// is not in the table is the page's.
void meter_count(Meter *meter, const RouteDesc *route, int status, int64_t microseconds);
void meter_write(const Meter *meter, Text *out); // as Prometheus reads it
