// A job run again as its findings prescribe: its spec with the remedies' patches and then the request's own. With `seeds`, both
// specs run under several seeds, so that a comparison can tell an effect from luck.
//
// Everything is checked before anything is queued, and what is queued is queued at once, all or nothing. Errors point into the
// request: at the patch or at the remedy that made the place in the spec.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "server/jobs/spec_patch.h"
#include "server/routes/common.h"
#include "server/routes/idempotency.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_findings.h"

enum { REMEDIES_MAX = 16, SEEDS_MAX = 16, ROWS_MAX = 2 * SEEDS_MAX };

typedef struct Rerun {
    const Services *services;
    JobRow parent;
    Document *parent_spec;
    JobFindings findings;
    Value patch; // of the request; VALUE_NONE
    Value remedies[REMEDIES_MAX];
    size_t remedy_count;
    int64_t seeds;
    Document *spec; // patched
    Issues issues;
    JobRow rows
        [ROWS_MAX]; // rows[0] is the child; then the further seeds of the child and of its parent in turn
    size_t row_count;
} Rerun;

static void rerun_finish(Rerun *rerun) {
    for (size_t i = 0; i < rerun->row_count; i++)
        job_row_finish(&rerun->rows[i]);
    issues_finish(&rerun->issues);
    document_destroy(rerun->spec);
    job_findings_finish(&rerun->findings);
    document_destroy(rerun->parent_spec);
    job_row_finish(&rerun->parent);
}

// ---- the body ----

// The patch of the finding's remedy of that name; VALUE_NONE.
static Value remedy_find(Value finding, const char *code) {
    VALUE_FOREACH(remedy, value_member(finding, "remedies")) {
        const char *name = value_string(value_member(remedy, "code"));
        if (name != NULL && strcmp(name, code) == 0)
            return remedy;
    }
    return VALUE_NONE;
}

// "a, b, c": what could be asked for.
static void remedies_list(const Rerun *rerun, Text *text) {
    VALUE_FOREACH(finding, job_findings_list(&rerun->findings)) {
        VALUE_FOREACH(remedy, value_member(finding, "remedies")) {
            const char *name = value_string(value_member(remedy, "code"));
            if (name == NULL || (text->length > 0 && strstr(text_string(text), name) != NULL))
                continue;
            text_add_format(text, "%s%s", text->length > 0 ? ", " : "", name);
        }
    }
}

static void remedy_refuse(Rerun *rerun, const Path *path, const char *code) {
    Text known;
    text_init(&known);
    remedies_list(rerun, &known);
    if (known.length > 0)
        issues_add(&rerun->issues, path, "is no remedy of this job's findings, which have: %.400s",
                   text_string(&known));
    else
        issues_add(&rerun->issues, path,
                   "\"%.60s\" is no remedy of this job's findings, which have none", code);
    text_finish(&known);
}

static void remedy_read(Rerun *rerun, Value item, const Path *path) {
    const char *code = value_string(item);
    Value remedy = VALUE_NONE;
    if (code == NULL) {
        issues_add(&rerun->issues, path, "must be a remedy's code, not %s",
                   value_kind_name(value_kind(item)));
        return;
    }
    VALUE_FOREACH(finding, job_findings_list(&rerun->findings)) {
        if (value_kind(remedy) == VALUE_MISSING)
            remedy = remedy_find(finding, code);
    }
    Value patch = value_member(remedy, "patch");
    if (value_kind(remedy) == VALUE_MISSING)
        remedy_refuse(rerun, path, code);
    else if (value_kind(patch) != VALUE_OBJECT)
        issues_add(&rerun->issues, path,
                   "changes nothing in the spec by itself: it is for you to do");
    else
        rerun->remedies[rerun->remedy_count++] = patch;
}

static void remedies_read(Rerun *rerun, Value list) {
    const Path *path = PATH_KEY(NULL, "remedies");
    size_t index = 0;
    if (value_kind(list) == VALUE_MISSING || value_kind(list) == VALUE_NULL)
        return;
    if (value_kind(list) != VALUE_ARRAY || value_length(list) > REMEDIES_MAX) {
        issues_add(&rerun->issues, path, "must be an array of at most %d codes", REMEDIES_MAX);
        return;
    }
    VALUE_FOREACH(item, list)
    remedy_read(rerun, item, PATH_INDEX(path, index++));
}

static int body_read(Rerun *rerun, Value body) {
    static const char *const members[] = {"remedies", "patch", "seeds", NULL};
    keys_check(body, members, &rerun->issues);
    remedies_read(rerun, value_member(body, "remedies"));
    Value patch = value_member(body, "patch"), seeds = value_member(body, "seeds");
    Value dataset = value_member(patch, "dataset");
    if (value_kind(patch) == VALUE_OBJECT)
        rerun->patch = patch;
    else if (value_kind(patch) != VALUE_MISSING && value_kind(patch) != VALUE_NULL)
        issues_add_at(&rerun->issues, "/patch", "must be an object, not %s",
                      value_kind_name(value_kind(patch)));
    if (value_kind(dataset) != VALUE_MISSING && value_kind(dataset) != VALUE_STRING)
        issues_add_at(&rerun->issues, "/patch/dataset", "must be a dataset's id, not %s",
                      value_kind_name(value_kind(dataset)));
    rerun->seeds = 1;
    if (value_kind(seeds) != VALUE_MISSING && value_kind(seeds) != VALUE_NULL &&
        !value_integer(seeds, 1, SEEDS_MAX, &rerun->seeds))
        issues_add_at(&rerun->issues, "/seeds", "must be a whole number from 1 to %d", SEEDS_MAX);
    return issues_any(&rerun->issues) ? ERR_INVALID : OK;
}

// ---- the spec ----

static int spec_parse(const char *text, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(text, strlen(text), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

static int apply(Rerun *rerun, Value patch) {
    Document *patched;
    int error = spec_patch(document_root(rerun->spec), patch, &patched);
    if (error != OK)
        return error;
    document_destroy(rerun->spec);
    rerun->spec = patched;
    return OK;
}

// An experiment does not take over the name that others predict by: an alias goes on only by the request's own patch.
static int spec_build(Rerun *rerun) {
    Document *none = NULL;
    int error = spec_parse("{\"alias\":null}", &none);
    if (error == OK)
        error = spec_patch(document_root(rerun->parent_spec), document_root(none), &rerun->spec);
    document_destroy(none);
    for (size_t i = 0; error == OK && i < rerun->remedy_count; i++)
        error = apply(rerun, rerun->remedies[i]);
    if (error == OK && value_kind(rerun->patch) == VALUE_OBJECT)
        error = apply(rerun, rerun->patch);
    return error;
}

// What is wrong with the spec, told at the place in the request that made it so.
static void issue_move(Rerun *rerun, const Issue *issue) {
    if (spec_patch_names(rerun->patch, issue->pointer)) {
        Text pointer;
        text_init(&pointer);
        text_add_format(&pointer, "/patch%s", issue->pointer);
        issues_add_at(&rerun->issues, text_string(&pointer), "%s", issue->detail);
        text_finish(&pointer);
        return;
    }
    for (size_t i = rerun->remedy_count; i > 0; i--) {
        if (!spec_patch_names(rerun->remedies[i - 1], issue->pointer))
            continue;
        issues_add(&rerun->issues, PATH_INDEX(PATH_KEY(NULL, "remedies"), i - 1),
                   "makes a spec whose %s %s", issue->pointer, issue->detail);
        return;
    }
    issues_add_at(&rerun->issues, "", "the spec's %s %s", issue->pointer, issue->detail);
}

static int child_make(Rerun *rerun) {
    Value spec = document_root(rerun->spec);
    const Submission submission = {.body = spec,
                                   .dataset = value_string(value_member(spec, "dataset")),
                                   .parent = rerun->parent.id};
    Issues issues;
    JsonOut findings;
    issues_init(&issues);
    json_init(&findings);
    int error = submission_check(rerun->services->store, &rerun->services->pool_options,
                                 &submission, &issues, &rerun->rows[0], &findings);
    if (error == OK)
        rerun->row_count = 1;
    for (size_t i = 0; error == ERR_INVALID && i < issues.count; i++)
        issue_move(rerun, &issues.items[i]);
    json_finish(&findings);
    issues_finish(&issues);
    return error;
}

// ---- the further seeds ----

static int64_t seed_of(Value spec) {
    int64_t seed = 0;
    value_integer(value_member(value_member(spec, "training"), "seed"), INT64_MIN, INT64_MAX,
                  &seed);
    return seed;
}

// The job of `from` with another seed, as the next row.
static int twin_make(Rerun *rerun, const JobRow *from, Value spec, int64_t seed) {
    Document *reseeded;
    int error = spec_reseed(spec, seed, &reseeded);
    if (error != OK)
        return error;
    JobRow *row = &rerun->rows[rerun->row_count++];
    *row = (JobRow){.created_at = time_now(), .priority = from->priority, .threads = from->threads};
    id_make("job_", row->id);
    snprintf(row->dataset, sizeof row->dataset, "%s", from->dataset);
    snprintf(row->initial, sizeof row->initial, "%s", from->initial);
    snprintf(row->parent, sizeof row->parent, "%s", rerun->parent.id);
    row->name = memory_string(from->name);
    row->status = memory_string("queued");
    row->tags = memory_string(from->tags);
    row->plan = memory_string(from->plan);
    row->spec = spec_as_text(document_root(reseeded));
    document_destroy(reseeded);
    return row->name == NULL || row->status == NULL || row->tags == NULL || row->spec == NULL ||
                   (from->plan != NULL && row->plan == NULL)
               ? ERR_NO_MEMORY
               : OK;
}

// The parent's own spec once more, but for its alias.
static int twins_make(Rerun *rerun) {
    Document *child = NULL, *none = NULL, *before = NULL;
    int error = spec_parse(rerun->rows[0].spec, &child);
    if (error == OK)
        error = spec_parse("{\"alias\":null}", &none);
    if (error == OK)
        error = spec_patch(document_root(rerun->parent_spec), document_root(none), &before);
    for (int64_t i = 1; error == OK && i < rerun->seeds; i++) {
        Value spec = document_root(child), old = document_root(before);
        error = twin_make(rerun, &rerun->rows[0], spec, seed_of(spec) + i);
        if (error == OK)
            error = twin_make(rerun, &rerun->parent, old, seed_of(old) + i);
    }
    document_destroy(before);
    document_destroy(none);
    document_destroy(child);
    return error;
}

// ---- queueing and answering ----

static void write_runs(const Rerun *rerun, JsonOut *out) {
    json_begin_object(out, "runs");
    for (size_t side = 0; side < 2; side++) {
        json_begin_array(out, side == 0 ? "parent" : "child");
        json_string(out, NULL, side == 0 ? rerun->parent.id : rerun->rows[0].id);
        for (size_t i = side == 0 ? 2 : 1; i < rerun->row_count; i += 2)
            json_string(out, NULL, rerun->rows[i].id);
        json_end_array(out);
    }
    json_end_object(out);
}

static int rerun_enqueue(Request *request, const Rerun *rerun, Idempotency *idempotency) {
    const Services *services = rerun->services;
    const char *id = rerun->rows[0].id;
    int error = jobs_insert_all(services->store, rerun->rows, rerun->row_count,
                                services->pool_options.max_queue,
                                idempotency_use(idempotency, 202, "/v1/jobs", id));
    if (error != OK) {
        answer_not_queued(request, error);
        return error;
    }
    pool_wake(services->pool);
    JobRow stored;
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    bool found = jobs_get(services->store, id, &stored) == OK;
    Language language = request_language(request);
    job_write_members(&out, found ? &stored : &rerun->rows[0], language);
    if (found)
        job_row_finish(&stored);
    write_runs(rerun, &out);
    json_end_object(&out);
    idempotency_end(idempotency, &out.text);
    answer_header(request, "Location", "/v1/jobs/%s", id);
    answer_language(request, language);
    answer_json(request, 202, &out);
    json_finish(&out);
    return OK;
}

static int rerun_make(Rerun *rerun, const Document *body) {
    int error = job_findings_read(rerun->services->store, &rerun->parent, LANGUAGE_ENGLISH,
                                  &rerun->findings);
    if (error == OK && body != NULL)
        error = body_read(rerun, document_root(body));
    if (error == OK)
        error = spec_parse(rerun->parent.spec, &rerun->parent_spec);
    if (error == OK)
        error = spec_build(rerun);
    if (error == OK)
        error = child_make(rerun);
    return error == OK ? twins_make(rerun) : error;
}

// Whether the jobs were queued; otherwise it has been answered.
static bool rerun_run(Request *request, const Document *body, Idempotency *idempotency) {
    Rerun *rerun = memory_new(Rerun);
    if (rerun == NULL) {
        answer_error(request, ERR_NO_MEMORY, NULL);
        return false;
    }
    rerun->services = request_services(request);
    rerun->seeds = 1;
    issues_init(&rerun->issues);
    int error = job_find(request, request_param(request, "id"), &rerun->parent);
    bool found = error == OK;
    if (found)
        error = rerun_make(rerun, body);
    if (error == OK)
        error = rerun_enqueue(request, rerun, idempotency);
    else if (error == ERR_INVALID)
        answer_issues(request, 422, &rerun->issues);
    else if (found)
        answer_error(request, error, NULL);
    rerun_finish(rerun);
    memory_free(rerun);
    return error == OK;
}

static void rerun_post(Request *request) {
    Idempotency idempotency;
    size_t length;
    request_body(request, &length);
    if (!idempotency_begin(request, &idempotency, answer_job))
        return;
    Document *body = length > 0 ? body_parse(request, NULL, true) : NULL;
    bool kept = false;
    if (body != NULL || length == 0)
        kept = rerun_run(request, body, &idempotency);
    if (!kept)
        idempotency_release(&idempotency);
    document_destroy(body);
}

static const int errors[] = {400, 404, 409, 413, 415, 422, 429, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/jobs/{id}/rerun",
     .tag = "jobs",
     .summary = "Run it again with remedies of its findings and changes of your own",
     .accepts = http_accepts_json,
     .request_schema = "RerunInput",
     .body_optional = true,
     .status = 202,
     .response_schema = "Rerun",
     .errors = errors,
     .flags = ROUTE_CREATES,
     .handler = rerun_post},
};

const RouteGroup job_rerun_routes = {"job_rerun", NULL, routes, ARRAY_LENGTH(routes)};
