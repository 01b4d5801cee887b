// The table of resources, made from the one list in meson.build.
#include "server/routes/routes.h"

#define ENTRY(name) extern const RouteGroup name##_routes;
#include "server/routes/routes.inc"
#undef ENTRY

const RouteGroup *const route_groups[] = {
#define ENTRY(name) &name##_routes,
#include "server/routes/routes.inc"
#undef ENTRY
    NULL,
};
