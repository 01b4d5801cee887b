// The conductors: what each route does with the store, the pool and the core. One file a resource;
// its RouteGroup's name stands in meson.build, and from that list comes the table.
#pragma once
#include <stdint.h>
#include "server/http/http.h"
#include "server/jobs/jobs.h"
#include "server/routes/event_batches.h"
#include "server/routes/predictors.h"
#include "server/store/store.h"

// What handlers work with: the context of every request.
typedef struct Services {
    Store *store;
    Pool *pool;
    PoolOptions pool_options;
    Predictors *predictors;
    struct Drifts *drifts;
    EventBatches *event_batches;
    Text openapi;       // the document, written once at the start
    int64_t started_at; // time_monotonic
} Services;

static inline const Services *request_services(const Request *request) {
    return request_context(request);
}

extern const RouteGroup *const route_groups[]; // NULL-terminated

// The OpenAPI 3.1 document of these routes and of what a job can name.
void openapi_write(JsonOut *out);
