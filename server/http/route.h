// Paths against templates. Literal segments match to the letter; {name} takes one non-empty
// segment, percent-decoded.
#pragma once
#include "server/http/http.h"

enum { ROUTE_PARAMS_MAX = 3, ROUTE_PARAM_BYTES = 256 };

typedef struct RouteParams {
    int count;
    struct {
        char name[32], value[ROUTE_PARAM_BYTES];
    } item[ROUTE_PARAMS_MAX];
} RouteParams;

// False: *ret_params means nothing.
bool route_matches(const char *template, const char *path, RouteParams *ret_params);

typedef struct RouteFound {
    const RouteDesc *route; // NULL: none for this method
    bool known;             // some method is at home at this path
    RouteParams params;
} RouteFound;

// HEAD is served by GET. A literal path wins over one with parameters because it stands first in
// its table.
void route_find(const RouteGroup *const *groups, const char *method, const char *path,
                RouteFound *ret_found);
// "GET, HEAD, POST": what a path takes.
void route_allow(const RouteGroup *const *groups, const char *path, Text *out);
