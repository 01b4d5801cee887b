// The dashboard at "/"; its other files are served from the same table (server/http/page_files.h).
#include "core/base/memory.h"
#include "server/routes/routes.h"

static const char *const produces_html[] = {"text/html", NULL};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/",
     .tag = "service",
     .summary = "The dashboard",
     .status = 200,
     .produces = produces_html,
     .flags = ROUTE_OPEN | ROUTE_NOT_MODIFIED,
     .handler = page_answer},
};

const RouteGroup page_routes = {"page", NULL, routes, ARRAY_LENGTH(routes)};
