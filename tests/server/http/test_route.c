#include <criterion/criterion.h>
#include <string.h>
#include "core/base/memory.h"
#include "server/http/route.h"

Test(route, matches_segment_by_segment) {
    RouteParams params;
    cr_assert(route_matches("/", "/", &params));
    cr_assert(route_matches("/v1/jobs/{id}/events", "/v1/jobs/job_1/events", &params));
    cr_assert_eq(params.count, 1);
    cr_assert_str_eq(params.item[0].name, "id");
    cr_assert_str_eq(params.item[0].value, "job_1");
    cr_assert(route_matches("/v1/aliases/{name}", "/v1/aliases/a%2Fb%20c", &params));
    cr_assert_str_eq(params.item[0].value, "a/b c");
    static const char *const others[] = {"/v1/jobs",          "/v1/jobs/",   "/v1/jobs/a/b",
                                         "/v1/jobs//events",  "/v1/jobs/x/", "/v1/jobs/%ff/events",
                                         "/v1/jobs/x/eventsy"};
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        cr_assert(!route_matches("/v1/jobs/{id}/events", others[i], &params), "%s", others[i]);
    char path[400] = "/v1/jobs/";
    memset(path + strlen(path), 'a', 300);
    cr_assert(!route_matches("/v1/jobs/{id}", path, &params), "a parameter is bounded");
}

static void nothing(Request *request) {
    (void)request;
}

static const RouteDesc routes[] = {
    {.method = "POST", .path = "/v1/jobs", .handler = nothing},
    {.method = "GET", .path = "/v1/jobs", .handler = nothing},
    {.method = "DELETE", .path = "/v1/jobs/{id}", .handler = nothing},
};
static const RouteGroup group = {"jobs", NULL, routes, ARRAY_LENGTH(routes)};
static const RouteGroup *const groups[] = {&group, NULL};

Test(route, head_is_served_by_get) {
    RouteFound found;
    route_find(groups, "HEAD", "/v1/jobs", &found);
    cr_assert_eq(found.route, &routes[1]);
    route_find(groups, "HEAD", "/v1/jobs/x", &found);
    cr_assert(found.known && found.route == NULL);
    route_find(groups, "GET", "/v1/nowhere", &found);
    cr_assert(!found.known);
}

Test(route, tells_what_a_path_takes) {
    Text allow;
    text_init(&allow);
    route_allow(groups, "/v1/jobs", &allow);
    cr_assert_str_eq(text_string(&allow), "GET, HEAD, POST");
    text_clear(&allow);
    route_allow(groups, "/v1/jobs/x", &allow);
    cr_assert_str_eq(text_string(&allow), "DELETE");
    text_finish(&allow);
}
