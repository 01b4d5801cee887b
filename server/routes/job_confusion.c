// What a job's model takes for what on the validation rows: counted by its worker at the end, and kept with the job.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/confusion.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

static void job_confusion_get(Request *request) {
    JobRow row;
    char *json = NULL;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    int error = strcmp(row.status, "succeeded") == 0
                    ? confusions_get(request_services(request)->store, row.id, &json)
                    : ERR_CONFLICT;
    if (error == OK) {
        JsonOut out;
        json_init(&out);
        json_raw(&out, NULL, json);
        answer_json(request, 200, &out);
        json_finish(&out);
    } else if (error == ERR_CONFLICT) {
        answer_problem(request, 409, "The job has left no model: its status is \"%s\".",
                       row.status);
    } else if (error == ERR_NOT_FOUND) {
        answer_problem(
            request, 404,
            "This job has no confusion matrix: it takes classes, at most %d of them, and "
            "validation rows.",
            CONFUSION_CLASSES_MAX);
    } else {
        answer_error(request, error, NULL);
    }
    memory_free(json);
    job_row_finish(&row);
}

static const int errors[] = {404, 409, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/confusion",
     .tag = "jobs",
     .summary = "What its model takes for what, on validation",
     .status = 200,
     .response_schema = "Confusion",
     .errors = errors,
     .handler = job_confusion_get},
};

const RouteGroup job_confusion_routes = {"job_confusion", NULL, routes, ARRAY_LENGTH(routes)};
