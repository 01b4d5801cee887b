// Is it alive (never touches the database), and is it ready (not draining, the store writes, the
// disk has room).
#include "server/routes/health.h"
#include <sys/statvfs.h>
#include "core/base/memory.h"

enum {
    DISK_RESERVE_BYTES = 16 << 20,
    LAG_MAX_SECONDS = 3, // a commit takes a few milliseconds; a disk that hangs takes for ever
};

static void healthz_get(Request *request) {
    static const char body[] = "{\"status\":\"ok\"}";
    answer_static(request, 200, "application/json", body, sizeof body - 1);
}

const char *service_not_ready(const Request *request) {
    const Services *services = request_services(request);
    struct statvfs disk;
    StoreFigures figures;
    store_figures(services->store, &figures);
    if (http_draining(request_http(request)))
        return "The server is about to stop.";
    if (store_failed(services->store))
        return "The store has failed.";
    if (figures.lag_seconds > LAG_MAX_SECONDS)
        return "The disk does not take what is written.";
    if (fstatvfs(store_directory(services->store), &disk) == 0 &&
        disk.f_bavail * disk.f_frsize < DISK_RESERVE_BYTES)
        return "The disk is full.";
    return NULL;
}

static void readyz_get(Request *request) {
    static const char body[] = "{\"status\":\"ready\"}";
    const char *why = service_not_ready(request);
    if (why == NULL) {
        answer_static(request, 200, "application/json", body, sizeof body - 1);
        return;
    }
    answer_header(request, "Retry-After", "5");
    answer_problem(request, 503, "%s", why);
}

static const int ready_errors[] = {503, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/healthz",
     .tag = "service",
     .summary = "Alive",
     .status = 200,
     .response_schema = "State",
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = healthz_get},
    {.method = "GET",
     .path = "/readyz",
     .tag = "service",
     .summary = "Ready for work",
     .status = 200,
     .response_schema = "State",
     .errors = ready_errors,
     .flags = ROUTE_OPEN | ROUTE_INLINE,
     .handler = readyz_get},
};

const RouteGroup health_routes = {"health", NULL, routes, ARRAY_LENGTH(routes)};
