// How the service is: version, workers, queue, machine.
#include <sys/utsname.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tensor/blas.h"
#include "server/base/machine.h"
#include "server/routes/routes.h"
#include "server/store/tables.h"

static void write_machine(JsonOut *out) {
    struct utsname system;
    json_begin_object(out, "machine");
    json_integer(out, "processors", machine_processors(""));
    json_integer(out, "memory_bytes", (int64_t)machine_memory_bytes(""));
    json_string(out, "blas_core", blas_core_in_use());
    if (uname(&system) == 0) {
        json_string(out, "system", system.sysname);
        json_string(out, "architecture", system.machine);
    }
    json_end_object(out);
}

static void status_get(Request *request) {
    const Services *services = request_services(request);
    int64_t counts[JOB_STATES];
    int error = jobs_counts(services->store, counts);
    if (error != OK) {
        answer_error(request, error, NULL);
        return;
    }
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "version", BACKPROPD_VERSION);
    json_number(&out, "uptime_seconds", (double)(time_monotonic() - services->started_at) / 1000);
    json_boolean(&out, "draining", http_draining(request_http(request)));
    json_begin_object(&out, "workers");
    json_integer(&out, "total", services->pool_options.workers);
    json_integer(&out, "running", pool_running(services->pool));
    json_integer(&out, "threads", services->pool_options.threads);
    json_end_object(&out);
    json_begin_object(&out, "queue");
    json_integer(&out, "queued", counts[JOB_QUEUED]);
    json_integer(&out, "running", counts[JOB_RUNNING]);
    json_integer(&out, "paused", counts[JOB_PAUSED]);
    json_integer(&out, "limit", services->pool_options.max_queue);
    json_end_object(&out);
    write_machine(&out);
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/status",
     .tag = "service",
     .summary = "Version, workers, queue, machine",
     .status = 200,
     .response_schema = "Status",
     .handler = status_get},
};

const RouteGroup status_routes = {"status", NULL, routes, ARRAY_LENGTH(routes)};
