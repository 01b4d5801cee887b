#include "server/http/meter.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/exposition.h"

static const int statuses[] = {200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 406,
                               409, 413, 415, 422, 429, 431, 500, 503, 507, 0}; // 0: any other
static const int bounds[] = {500,    1000,   5000,   10000,   25000,   50000,
                             100000, 250000, 500000, 1000000, 5000000, 30000000}; // microseconds

enum {
    STATUSES = ARRAY_LENGTH(statuses),
    BOUNDS = ARRAY_LENGTH(bounds),
    CLASSES = 6, // of statuses by their first digit
};

typedef struct Durations {
    atomic_llong within[BOUNDS + 1]; // each counted in the first bound that it keeps
    atomic_llong microseconds;
} Durations;

typedef struct Counts {
    atomic_llong answers[STATUSES];
    Durations durations[CLASSES];
} Counts;

struct Meter {
    const RouteGroup *const *groups;
    size_t routes;
    Counts *counts; // [routes + 2]: the page's, those without a route
};

int meter_create(const RouteGroup *const *groups, Meter **ret_meter) {
    Meter *meter = memory_new(Meter);
    if (meter == NULL)
        return ERR_NO_MEMORY;
    meter->groups = groups;
    for (size_t i = 0; groups[i] != NULL; i++)
        meter->routes += groups[i]->count;
    meter->counts = memory_array(meter->routes + 2, sizeof *meter->counts);
    if (meter->counts == NULL) {
        meter_destroy(meter);
        return ERR_NO_MEMORY;
    }
    *ret_meter = meter;
    return OK;
}

void meter_destroy(Meter *meter) {
    if (meter == NULL)
        return;
    memory_free(meter->counts);
    memory_free(meter);
}

int64_t meter_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static size_t route_index(const Meter *meter, const RouteDesc *route) {
    size_t before = 0;
    if (route == NULL)
        return meter->routes + 1;
    for (size_t i = 0; meter->groups[i] != NULL; i++) {
        const RouteGroup *group = meter->groups[i];
        for (size_t k = 0; k < group->count; k++)
            if (&group->routes[k] == route)
                return before + k;
        before += group->count;
    }
    return meter->routes;
}

void meter_count(Meter *meter, const RouteDesc *route, int status, int64_t microseconds) {
    Counts *counts = &meter->counts[route_index(meter, route)];
    Durations *durations = &counts->durations[status >= 100 && status < 600 ? status / 100 : 0];
    size_t known = 0, within = 0;
    while (statuses[known] != status && statuses[known] != 0)
        known++;
    while (within < BOUNDS && microseconds > bounds[within])
        within++;
    atomic_fetch_add_explicit(&counts->answers[known], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&durations->microseconds, microseconds, memory_order_relaxed);
    atomic_fetch_add_explicit(&durations->within[within], 1, memory_order_relaxed);
}

// ---- as Prometheus reads it ----

enum { LABELS_BYTES = 192 };

static void route_labels(const Meter *meter, size_t index, char labels[LABELS_BYTES]) {
    const char *method = "", *path = index == meter->routes ? "page" : "none";
    for (size_t i = 0; meter->groups[i] != NULL; i++) {
        const RouteGroup *group = meter->groups[i];
        if (index < group->count) {
            method = group->routes[index].method;
            path = group->routes[index].path;
            break;
        }
        index -= group->count;
    }
    snprintf(labels, LABELS_BYTES, "method=\"%s\",route=\"%s\"", method, path);
}

static void answers_write(const Counts *counts, const char *route, Text *out) {
    char labels[LABELS_BYTES + 32];
    for (size_t i = 0; i < STATUSES; i++) {
        long long count = atomic_load_explicit(&counts->answers[i], memory_order_relaxed);
        if (count == 0)
            continue;
        if (statuses[i] != 0)
            snprintf(labels, sizeof labels, "%s,status=\"%d\"", route, statuses[i]);
        else
            snprintf(labels, sizeof labels, "%s,status=\"other\"", route);
        exposition_sample(out, "backpropd_http_requests_total", labels, (double)count);
    }
}

// The count is that of the buckets, read once: so it is the last bucket's also while others count.
static void durations_write(const Durations *durations, const char *route, int class, Text *out) {
    long long within[BOUNDS + 1], sum = 0;
    char labels[LABELS_BYTES + 64];
    for (size_t i = 0; i <= BOUNDS; i++) {
        within[i] = atomic_load_explicit(&durations->within[i], memory_order_relaxed);
        sum += within[i];
    }
    if (sum == 0)
        return;
    sum = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        sum += within[i];
        int length = snprintf(labels, sizeof labels, "%s,status=\"%dxx\",le=\"", route, class);
        if (i < BOUNDS)
            snprintf(labels + length, sizeof labels - (size_t)length, "%g\"",
                     (double)bounds[i] / 1e6);
        else
            snprintf(labels + length, sizeof labels - (size_t)length, "+Inf\"");
        exposition_sample(out, "backpropd_http_request_duration_seconds_bucket", labels,
                          (double)sum);
    }
    snprintf(labels, sizeof labels, "%s,status=\"%dxx\"", route, class);
    exposition_sample(out, "backpropd_http_request_duration_seconds_sum", labels,
                      (double)atomic_load_explicit(&durations->microseconds, memory_order_relaxed) /
                          1e6);
    exposition_sample(out, "backpropd_http_request_duration_seconds_count", labels, (double)sum);
}

void meter_write(const Meter *meter, Text *out) {
    char labels[LABELS_BYTES];
    exposition_family(out, "backpropd_http_requests_total", "counter",
                      "Answers by route and status; route none: what met no route or was refused "
                      "before.");
    for (size_t i = 0; i < meter->routes + 2; i++) {
        route_labels(meter, i, labels);
        answers_write(&meter->counts[i], labels, out);
    }
    exposition_family(out, "backpropd_http_request_duration_seconds", "histogram",
                      "From a request's first line to its answer's first byte.");
    for (size_t i = 0; i < meter->routes + 2; i++) {
        route_labels(meter, i, labels);
        for (int class = 0; class < CLASSES; class ++)
            durations_write(&meter->counts[i].durations[class], labels, class, out);
    }
}
