#include "server/http/route.h"

#include <string.h>
#include "core/base/memory.h"
#include "server/http/target.h"

const char *const http_accepts_json[] = {"application/json", NULL};

static void text_copy(char *to, const char *text, size_t length) {
    memcpy(to, text, length);
    to[length] = '\0';
}

bool route_matches(const char *template, const char *path, RouteParams *ret_params) {
    int count = 0;
    while (*template != '\0') {
        if (*template != '{') {
            if (*template ++ != *path++)
                return false;
            continue;
        }
        size_t name = strcspn(++template, "}");
        size_t value = strcspn(path, "/");
        if (value == 0 || value >= ROUTE_PARAM_BYTES || count == ROUTE_PARAMS_MAX ||
            name >= sizeof ret_params->item[0].name)
            return false;
        text_copy(ret_params->item[count].name, template, name);
        text_copy(ret_params->item[count].value, path, value);
        count++;
        template += name + 1;
        path += value;
    }
    if (*path != '\0')
        return false;
    ret_params->count = count;
    for (int i = 0; i < count; i++) // only now: most templates do not match
        if (!percent_decode(ret_params->item[i].value, false))
            return false;
    return true;
}

static bool method_serves(const char *route, const char *method) {
    return strcmp(route, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

void route_find(const RouteGroup *const *groups, const char *method, const char *path,
                RouteFound *ret_found) {
    *ret_found = (RouteFound){0};
    for (; *groups != NULL; groups++)
        for (size_t i = 0; i < (*groups)->count; i++) {
            const RouteDesc *route = &(*groups)->routes[i];
            RouteParams params;
            if (!route_matches(route->path, path, &params))
                continue;
            ret_found->known = true;
            if (ret_found->route == NULL && method_serves(route->method, method)) {
                ret_found->route = route;
                ret_found->params = params;
            }
        }
}

void route_allow(const RouteGroup *const *groups, const char *path, Text *out) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        RouteFound found;
        route_find(groups, methods[i], path, &found);
        if (found.route != NULL)
            text_add_format(out, "%s%s", out->length > 0 ? ", " : "", methods[i]);
    }
}
