// Backpropagation against central differences, in double precision, for small nets: two forward
// passes a parameter.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/check.h"
#include "core/train/job.h"
#include "server/data/intake.h"
#include "server/jobs/jobs.h"
#include "server/routes/common.h"
#include "server/routes/intake_body.h"

enum { PARAMETERS_MAX = 100000 };

// Every mistake of the spec, or a net that is too large here.
static int net_check(const Services *services, Value spec, const char *dataset_id, Issues *issues) {
    char path[PATH_TEXT];
    Dataset *dataset;
    Job *job = NULL;
    dataset_file(dataset_id, path);
    int error = dataset_open(store_directory(services->store), path, true, &dataset);
    if (error != OK)
        return error;
    error = job_create(spec, dataset, 1, issues, &job);
    if (error == OK && model_parameters(job_model(job)) > PARAMETERS_MAX) {
        issues_add_at(
            issues, "/model",
            "has %lld parameters; at most %d are checked here (`backpropd gradcheck` takes more)",
            (long long)model_parameters(job_model(job)), PARAMETERS_MAX);
        error = ERR_INVALID;
    }
    job_destroy(job);
    dataset_close(dataset);
    return error;
}

static void gradcheck_run(Request *request, const Document *document) {
    const Services *services = request_services(request);
    Value spec = document_root(document);
    DatasetTaken dataset;
    Issues issues;
    JsonOut out;
    double greatest;
    char path[4096];
    issues_init(&issues);
    json_init(&out);
    submission_check_keys(&services->pool_options, spec, &issues);
    int error = dataset_take(services, document, &issues, &dataset);
    if (error == OK)
        error = net_check(services, spec, dataset.id, &issues);
    else if (error == ERR_INVALID && job_check_words(spec, &issues) != OK)
        error = ERR_NO_MEMORY;
    if (error == OK && issues_any(&issues))
        error = ERR_INVALID;
    if (error == OK) {
        ValueWriter writer = json_writer(&out);
        snprintf(path, sizeof path, "%s/datasets/%s.bpa", store_path(services->store), dataset.id);
        error = check_job(spec, path, &issues, &writer, &greatest);
    }
    if (error == OK)
        answer_json(request, 200, &out);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &issues);
    else
        answer_error(request, error, NULL);
    dataset_drop(services, &dataset);
    json_finish(&out);
    issues_finish(&issues);
}

static void gradcheck_post(Request *request) {
    Document *document = body_parse(request, intake_lifted_inline, true);
    if (document != NULL)
        gradcheck_run(request, document);
    document_destroy(document);
}

static const int errors[] = {400, 413, 415, 422, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/gradcheck",
     .tag = "checks",
     .summary = "Check a job's gradients numerically",
     .accepts = http_accepts_json,
     .request_schema = "JobInput",
     .status = 200,
     .response_schema = "GradientCheck",
     .errors = errors,
     .flags = ROUTE_HEAVY,
     .handler = gradcheck_post},
};

const RouteGroup gradcheck_routes = {"checks", "To learn and to check by", routes,
                                     ARRAY_LENGTH(routes)};
