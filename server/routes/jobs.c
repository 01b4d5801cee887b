// Jobs: submitted, listed, shown, waited for.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/intake.h"
#include "server/routes/common.h"
#include "server/routes/idempotency.h"
#include "server/routes/intake_body.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_view.h"

static void write_time(JsonOut *out, const char *key, int64_t time) {
    char text[TIME_TEXT];
    if (time != 0)
        time_text(time, text);
    json_string(out, key, time == 0 ? NULL : text);
}

static void write_id(JsonOut *out, const char *key, const char *id) {
    json_string(out, key, id[0] == '\0' ? NULL : id);
}

// JSON that this service wrote itself.
static int parse_own(const char *text, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(text, strlen(text), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == OK || error == ERR_NO_MEMORY ? error : ERR_DAMAGED;
}

static void write_result(JsonOut *out, const char *result, Language language) {
    Document *document = NULL;
    if (result == NULL)
        json_null(out, "result");
    else if (parse_own(result, &document) == OK)
        result_tell(out, document_root(document), language);
    else
        out->text.failed = true;
    document_destroy(document);
}

void job_write_members(JsonOut *out, const JobRow *row, Language language) {
    json_string(out, "id", row->id);
    json_string(out, "name", row->name);
    json_string(out, "status", row->status);
    write_time(out, "created_at", row->created_at);
    write_time(out, "started_at", row->started_at);
    write_time(out, "finished_at", row->finished_at);
    if (row->queue_position > 0)
        json_integer(out, "queue_position", row->queue_position);
    else
        json_null(out, "queue_position");
    json_integer(out, "attempt", row->attempt);
    json_raw(out, "interruption", row->interruption);
    write_id(out, "parent", row->parent);
    json_raw(out, "tags", row->tags != NULL ? row->tags : "[]");
    json_integer(out, "priority", row->priority);
    write_id(out, "dataset", row->dataset);
    if (row->spec != NULL)
        json_raw(out, "spec", row->spec);
    if (row->plan != NULL)
        json_raw(out, "plan", row->plan);
    json_raw(out, "progress", row->progress);
    json_raw(out, "metrics", row->metrics);
    json_raw(out, "best", row->best);
    write_id(out, "model", row->model);
    write_result(out, row->result, language);
    json_raw(out, "diagnosis", row->diagnosis);
    json_raw(out, "error", row->error);
}

void job_write(JsonOut *out, const JobRow *row, Language language) {
    json_begin_object(out, NULL);
    job_write_members(out, row, language);
    json_end_object(out);
}

bool job_ended(const JobRow *row) {
    return strcmp(row->status, "succeeded") == 0 || strcmp(row->status, "failed") == 0 ||
           strcmp(row->status, "cancelled") == 0;
}

int job_find(Request *request, const char *id, JobRow *ret_row) {
    int error = id_valid("job_", id) ? jobs_get(request_services(request)->store, id, ret_row)
                                     : ERR_NOT_FOUND;
    if (error != OK)
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such job." : NULL);
    return error;
}

void answer_newest_event(Request *request, const JobRow *row) {
    answer_header(request, "Last-Event-ID", "%lld", (long long)row->last_seq);
}

void answer_job(Request *request, int status, const char *id) {
    JobRow row;
    if (job_find(request, id, &row) != OK)
        return;
    JsonOut out;
    Language language = request_language(request);
    json_init(&out);
    job_write(&out, &row, language);
    answer_language(request, language);
    answer_json(request, status, &out);
    json_finish(&out);
    job_row_finish(&row);
}

// ---- submission ----

static bool has_code(Value findings, Value finding) {
    const char *code = value_string(value_member(finding, "code"));
    VALUE_FOREACH(other, findings) {
        const char *known = value_string(value_member(other, "code"));
        if (code != NULL && known != NULL && strcmp(code, known) == 0)
            return true;
    }
    return false;
}

// What a probe found, then what else was found without a step. probed: what it answered, or NULL.
static int write_findings(const char *probed, const char *findings, Language language,
                          JsonOut *out) {
    Document *shown = NULL, *told = NULL;
    int error = probed != NULL ? parse_own(probed, &shown) : OK;
    if (error == OK)
        error = parse_own(findings, &told);
    if (error == OK) {
        ValueWriter writer = json_writer(out);
        Value root = shown != NULL ? document_root(shown) : VALUE_NONE;
        Value found = value_member(root, "findings");
        json_begin_array(out, "findings");
        VALUE_FOREACH(finding, found)
        finding_tell(out, finding, NULL, language);
        VALUE_FOREACH(finding, document_root(told)) {
            if (!has_code(found, finding))
                finding_tell(out, finding, NULL, language);
        }
        json_end_array(out);
        if (shown != NULL)
            write_value(&writer, "probe", value_member(root, "probe"));
    }
    document_destroy(shown);
    document_destroy(told);
    return error;
}

// probed: what a probe answered, or NULL.
static void answer_dry_run(Request *request, const JobRow *row, const JsonOut *findings,
                           const char *probed) {
    JsonOut out;
    Language language = request_language(request);
    int error = findings->text.failed ? ERR_NO_MEMORY : OK;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_raw(&out, "plan", row->plan);
    json_raw(&out, "spec", row->spec);
    if (error == OK)
        error = write_findings(probed, text_string(&findings->text), language, &out);
    json_end_object(&out);
    if (error == OK) {
        answer_language(request, language);
        answer_json(request, 200, &out);
    } else {
        answer_error(request, error, NULL);
    }
    json_finish(&out);
}

static void answer_probe(Request *request, const JobRow *row, const JsonOut *findings) {
    AUTO_FREE char *probed = NULL;
    int error = probe_run(request_services(request)->store, row, &probed);
    if (error == OK) {
        answer_dry_run(request, row, findings, probed);
    } else if (error == ERR_CONFLICT) {
        answer_header(request, "Retry-After", "3");
        answer_problem(request, 429, "Another job is being probed; ask again.");
    } else {
        answer_error(request, error,
                     error == ERR_UNAVAILABLE ? "The probe's worker did not come to an end."
                                              : NULL);
    }
}

static void answer_refused(Request *request, int error, const Issues *issues) {
    if (error == ERR_INVALID)
        answer_issues(request, 422, issues);
    else
        answer_error(request, error, NULL);
}

void answer_not_queued(Request *request, int error) {
    if (error == ERR_TOO_LARGE) {
        answer_header(request, "Retry-After", "10");
        answer_problem(request, 429, "The queue is full: it holds at most %lld jobs.",
                       (long long)request_services(request)->pool_options.max_queue);
        return;
    }
    answer_error(request, error,
                 error == ERR_NOT_FOUND
                     ? "The dataset, or the model to start from, has just been deleted."
                     : NULL);
}

// Stores the checked job and answers with it.
static int job_enqueue(Request *request, const JobRow *row, Idempotency *idempotency) {
    const Services *services = request_services(request);
    int error = jobs_insert_keyed(services->store, row, services->pool_options.max_queue,
                                  idempotency_use(idempotency, 202, "/v1/jobs", row->id));
    if (error != OK) {
        answer_not_queued(request, error);
        return error;
    }
    pool_wake(services->pool);
    JobRow stored;
    JsonOut out;
    Language language = request_language(request);
    json_init(&out);
    if (jobs_get(services->store, row->id, &stored) == OK) {
        job_write(&out, &stored, language);
        job_row_finish(&stored);
    } else { // deleted meanwhile, or no memory: what was submitted
        job_write(&out, row, language);
    }
    idempotency_end(idempotency, &out.text);
    answer_header(request, "Location", "/v1/jobs/%s", row->id);
    answer_language(request, language);
    answer_json(request, 202, &out);
    json_finish(&out);
    return OK;
}

// Where the dataset is wrong already: what else is, of that which can be told without it. ERR_NO_MEMORY, or ERR_INVALID.
static int rest_check(const Services *services, const Document *document, Issues *issues) {
    Submission submission = {.body = document_root(document)};
    JobRow row;
    JsonOut findings;
    Issues rest;
    json_init(&findings);
    issues_init(&rest);
    int error = submission_check(services->store, &services->pool_options, &submission, &rest, &row,
                                 &findings);
    if (error == OK)
        job_row_finish(&row);
    for (size_t i = 0; i < rest.count; i++)
        if (strcmp(rest.items[i].pointer, "/dataset") != 0)
            issues_add_at(issues, rest.items[i].pointer, "%s", rest.items[i].detail);
    issues->failed |= rest.failed;
    issues_finish(&rest);
    json_finish(&findings);
    return error == ERR_NO_MEMORY ? error : ERR_INVALID;
}

static void job_submit(Request *request, const Document *document, Idempotency *idempotency) {
    const Services *services = request_services(request);
    bool dry_run = request_query_boolean(request, "dry_run"), kept = false;
    JobRow row = {0};
    DatasetTaken dataset;
    Issues issues;
    JsonOut findings;
    issues_init(&issues);
    json_init(&findings);
    int error = dataset_take(services, document, &issues, &dataset);
    if (error == OK) {
        Submission submission = {.body = document_root(document), .dataset = dataset.id};
        error = submission_check(services->store, &services->pool_options, &submission, &issues,
                                 &row, dry_run ? &findings : NULL);
    } else if (error == ERR_INVALID) {
        error = rest_check(services, document, &issues);
    }
    if (error != OK)
        answer_refused(request, error, &issues);
    else if (dry_run && request_query_boolean(request, "probe"))
        answer_probe(request, &row, &findings);
    else if (dry_run)
        answer_dry_run(request, &row, &findings, NULL);
    else
        kept = job_enqueue(request, &row, idempotency) == OK;
    if (!kept) {
        idempotency_release(idempotency);
        dataset_drop(services, &dataset);
    }
    job_row_finish(&row);
    json_finish(&findings);
    issues_finish(&issues);
}

static void jobs_post(Request *request) {
    Idempotency idempotency;
    if (request_query_boolean(request, "probe") && !request_query_boolean(request, "dry_run")) {
        answer_problem(request, 400, "A \"probe\" is part of a dry run: add dry_run=true.");
        return;
    }
    if (!idempotency_begin(request, &idempotency, answer_job))
        return;
    Document *document = body_parse(request, intake_lifted_inline, true);
    if (document != NULL)
        job_submit(request, document, &idempotency);
    else
        idempotency_release(&idempotency);
    document_destroy(document);
}

// ---- reading ----

typedef struct JobList {
    List list;
    bool brief;
    Language language;
} JobList;

static int list_job(void *context, const JobRow *row) {
    JobList *jobs = context;
    if (!list_room(&jobs->list, row->id))
        return 1;
    JobRow brief = *row;
    if (jobs->brief)
        brief.spec = brief.plan = NULL;
    job_write(&jobs->list.out, &brief, jobs->language);
    return 0;
}

static void jobs_get_all(Request *request) {
    Page page;
    JobList jobs = {.brief = request_query_boolean(request, "brief"),
                    .language = request_language(request)};
    if (request_page(request, "job_", &page) != OK)
        return;
    JobFilter filter = {request_query(request, "status"), request_query(request, "tag"),
                        request_query(request, "dataset"), request_query(request, "parent")};
    list_begin(&jobs.list, page.limit);
    int error = jobs_list(request_services(request)->store, &filter, page.cursor, page.limit + 1,
                          list_job, &jobs);
    answer_language(request, jobs.language);
    answer_list(request, &jobs.list, error);
}

// GET …?wait=: the job is the one piece of a stream that waits for its end.
typedef struct Wait {
    const Services *services;
    LiveWatch *watch;
    int64_t until; // time_monotonic
    char id[ID_TEXT];
    JobView view;
} Wait;

static void wait_next(void *context, Text *out, bool *ret_end) {
    Wait *wait = context;
    JobRow row;
    *ret_end = true;
    if (jobs_get(wait->services->store, wait->id, &row) != OK) {
        out->failed = true; // deleted while we waited, or no memory: there is nothing to tell
        return;
    }
    if (job_ended(&row) || time_monotonic() >= wait->until) {
        if (job_view_write(&wait->view, wait->services->store, &row, out) != OK)
            out->failed = true;
    } else {
        *ret_end = false;
    }
    job_row_finish(&row);
}

static void wait_finish(void *context) {
    Wait *wait = context;
    if (wait->watch != NULL)
        live_unsubscribe(wait->services->pool, wait->watch);
    memory_free(wait);
}

static void wait_wake(void *stream) {
    stream_wake(stream);
}

static void job_wait(Request *request, const JobView *view, const char *id, int64_t seconds) {
    Wait *wait = memory_new(Wait);
    if (wait == NULL) {
        answer_error(request, ERR_NO_MEMORY, NULL);
        return;
    }
    *wait = (Wait){.services = request_services(request),
                   .until = time_monotonic() + seconds * 1000,
                   .view = *view};
    snprintf(wait->id, sizeof wait->id, "%s", id);
    StreamSource source = {wait, wait_next, wait_finish, wait->until};
    Stream *stream;
    answer_stream(request, job_view_type(view), &source, &stream);
    // Without a watch it still looks at the end of the wait, and every few seconds.
    if (stream != NULL &&
        live_subscribe(wait->services->pool, id, wait_wake, stream, &wait->watch) != OK)
        wait->watch = NULL;
}

static void job_get(Request *request) {
    const char *id = request_param(request, "id");
    int64_t seconds = request_query_integer(request, "wait", 0);
    JobRow row;
    JobView view;
    if (job_find(request, id, &row) != OK)
        return;
    job_view_init(&view, request);
    answer_header(request, "Vary", "Accept");
    answer_language(request, view.language);
    if (seconds > 0 && !job_ended(&row)) {
        job_wait(request, &view, row.id, seconds);
    } else {
        Text text;
        text_init(&text);
        answer_newest_event(request, &row);
        int error = job_view_write(&view, request_services(request)->store, &row, &text);
        if (error == OK)
            answer_text(request, 200, job_view_type(&view), &text);
        else
            answer_error(request, error, NULL);
        text_finish(&text);
    }
    job_row_finish(&row);
}

static const QueryDesc post_query[] = {
    {"dry_run", QUERY_BOOLEAN, 0, 0, NULL, NULL, "Check and plan, but queue nothing."},
    {"probe", QUERY_BOOLEAN, 0, 0, NULL, NULL,
     "With dry_run: find also what at most 2 s of steps on one batch show."},
    {0},
};
static const QueryDesc list_query[] = {
    {"status", QUERY_TEXT, 0, 0, NULL, job_states, "Only jobs in this state."},
    {"tag", QUERY_TEXT, 0, 0, NULL, NULL, "Only jobs with this tag."},
    {"dataset", QUERY_TEXT, 0, 0, NULL, NULL, "Only jobs on this dataset."},
    {"parent", QUERY_TEXT, 0, 0, NULL, NULL, "Only reruns of this job."},
    {"brief", QUERY_BOOLEAN, 0, 0, NULL, NULL, "Each without its spec and its plan."},
    PAGE_QUERIES,
    {0},
};
static const QueryDesc get_query[] = {
    {"wait", QUERY_INTEGER, 0, 3600, NULL, NULL,
     "Answer when the job has ended or so many seconds are over."},
    {0},
};
static const int post_errors[] = {400, 409, 413, 415, 422, 429, 0};
static const int list_errors[] = {400, 0};
static const int one_errors[] = {404, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/jobs",
     .tag = "jobs",
     .summary = "Submit a job",
     .query = post_query,
     .accepts = http_accepts_json,
     .request_schema = "JobInput",
     .status = 202,
     .response_schema = "Job",
     .dry_run_schema = "DryRun",
     .errors = post_errors,
     .flags = ROUTE_CREATES,
     .handler = jobs_post},
    {.method = "GET",
     .path = "/v1/jobs",
     .tag = "jobs",
     .summary = "Jobs, newest first",
     .query = list_query,
     .status = 200,
     .response_schema = "JobList",
     .errors = list_errors,
     .handler = jobs_get_all},
    {.method = "GET",
     .path = "/v1/jobs/{id}",
     .tag = "jobs",
     .summary = "A job",
     .query = get_query,
     .status = 200,
     .produces = job_view_types,
     .response_schema = "Job",
     .errors = one_errors,
     .handler = job_get},
};

const RouteGroup jobs_routes = {"jobs", "Training jobs", routes, ARRAY_LENGTH(routes)};
