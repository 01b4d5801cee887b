// What users wish of a job: pause, resume, stop, cancel; and to forget it.
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

// `forbidden`: the sentence of the 409.
static void job_wish(Request *request, const char *wish, const char *forbidden) {
    const Services *services = request_services(request);
    const char *id = request_param(request, "id");
    bool running;
    int error =
        id_valid("job_", id) ? jobs_wish(services->store, id, wish, &running) : ERR_NOT_FOUND;
    if (error != OK) {
        answer_error(request, error,
                     error == ERR_NOT_FOUND  ? "There is no such job."
                     : error == ERR_CONFLICT ? forbidden
                                             : NULL);
        return;
    }
    pool_wish(services->pool, id);
    answer_job(request, 202, id);
}

static void job_pause(Request *request) {
    job_wish(request, "pause",
             "Only a job that is queued or running, and not about to stop, can be paused.");
}

static void job_resume(Request *request) {
    job_wish(request, "resume", "Only a paused job can be resumed.");
}

static void job_stop(Request *request) {
    job_wish(
        request, "stop",
        "Only a job that has begun and not ended can be stopped with a model to keep; one that "
        "has not begun can be cancelled.");
}

static void job_cancel(Request *request) {
    job_wish(request, "cancel", "The job has ended already.");
}

static void job_delete(Request *request) {
    const char *id = request_param(request, "id");
    int error =
        id_valid("job_", id) ? jobs_delete(request_services(request)->store, id) : ERR_NOT_FOUND;
    if (error == OK)
        answer_empty(request, 204);
    else
        answer_error(request, error,
                     error == ERR_NOT_FOUND  ? "There is no such job."
                     : error == ERR_CONFLICT ? "The job has not ended; cancel it first."
                                             : NULL);
}

static const int state_errors[] = {404, 409, 0};

#define WISH(name, text)                                                                           \
    {                                                                                              \
        .method = "POST", .path = "/v1/jobs/{id}/" #name, .tag = "jobs", .summary = text,          \
        .status = 202, .response_schema = "Job", .errors = state_errors, .handler = job_##name     \
    }

static const RouteDesc routes[] = {
    WISH(pause, "Pause a job: it keeps its checkpoint and its place among its equals"),
    WISH(resume, "Queue a paused job again: it goes on to the same bits"),
    WISH(stop, "End the training now and keep the model"),
    WISH(cancel, "End a job and keep nothing but its log"),
    {.method = "DELETE",
     .path = "/v1/jobs/{id}",
     .tag = "jobs",
     .summary = "Forget a job that has ended",
     .status = 204,
     .errors = state_errors,
     .handler = job_delete},
};

const RouteGroup job_control_routes = {"job_control", NULL, routes, ARRAY_LENGTH(routes)};
