// What is wrong with a job's training, and what mends it: its worker's newest diagnosis, and what was found in its dataset.
//
// What the dataset's profile found is a fact about data: where it hurt the run, the worker's rules say so.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/json/document.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_diagnosis.h"
#include "server/routes/job_findings.h"
#include "server/routes/job_view.h"

static int severity_of(const char *severity) {
    return severity == NULL                    ? 0
           : strcmp(severity, "critical") == 0 ? 2
                                               : strcmp(severity, "warning") == 0;
}

static void write_checklist(JsonOut *out, Value items, Language language) {
    json_begin_array(out, "checklist");
    VALUE_FOREACH(item, items) {
        const char *name = value_string(value_member(item, "item"));
        json_begin_object(out, NULL);
        json_string(out, "group", value_string(value_member(item, "group")));
        json_string(out, "item", name);
        json_string(out, "title", texts_find_joined(language, "item", name, NULL));
        json_string(out, "state", value_string(value_member(item, "state")));
        text_tell(out, "note", texts_find_joined(language, "note", name, NULL), language, item,
                  value_string(value_member(item, "note")));
        json_end_object(out);
    }
    json_end_array(out);
}

// ---- the whole ----

static bool has_code(Value findings, const char *code) {
    VALUE_FOREACH(finding, findings) {
        const char *other = value_string(value_member(finding, "code"));
        if (other != NULL && code != NULL && strcmp(other, code) == 0)
            return true;
    }
    return false;
}

static int parse(const char *json, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(json, strlen(json), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error;
}

// The document borrows the text.
static int read_findings(Store *store, const JobRow *row, Language language, Text *text,
                         Document **ret_document) {
    text_add_char(text, '[');
    int error = job_findings_read_run(store, row, language, text);
    text_add_char(text, ']');
    if (error != OK)
        return error;
    return text->failed ? ERR_NO_MEMORY : parse(text_string(text), ret_document);
}

static void write_diagnosis(JsonOut *out, Value diagnosis, Value findings, Value data,
                            Language language) {
    static const char *const verdicts[] = {"healthy", "warning", "critical"};
    ValueWriter writer = json_writer(out);
    int worst = 0;
    VALUE_FOREACH(finding, findings) {
        int severity = severity_of(value_string(value_member(finding, "severity")));
        worst = severity > worst ? severity : worst;
    }
    json_begin_object(out, NULL);
    json_string(out, "verdict", verdicts[worst]);
    json_begin_array(out, "findings");
    VALUE_FOREACH(finding, findings)
    write_value(&writer, NULL, finding);
    VALUE_FOREACH(finding, data) {
        if (!has_code(findings, value_string(value_member(finding, "code"))))
            finding_tell(out, finding, "info", language);
    }
    json_end_array(out);
    write_checklist(out, value_member(diagnosis, "checklist"), language);
    json_end_object(out);
}

int diagnosis_write(Store *store, const JobRow *row, Language language, JsonOut *out) {
    Document *diagnosis = NULL, *findings = NULL, *data = NULL;
    AUTO_FREE char *json = NULL;
    DatasetRow dataset = {0};
    Text found;
    text_init(&found);
    int error = diagnoses_get(store, row->id, &json);
    if (error == OK)
        error = parse(json, &diagnosis);
    if (error == OK)
        error = read_findings(store, row, language, &found, &findings);
    // Before it runs there is none, and an ended job outlives its dataset.
    if ((error == OK || error == ERR_NOT_FOUND) &&
        datasets_get(store, row->dataset, &dataset) == OK) {
        error = dataset.findings != NULL ? parse(dataset.findings, &data) : OK;
        dataset_row_finish(&dataset);
    }
    if (error == ERR_NOT_FOUND)
        error = OK;
    if (error == OK)
        write_diagnosis(out, diagnosis != NULL ? document_root(diagnosis) : VALUE_NONE,
                        findings != NULL ? document_root(findings) : VALUE_NONE,
                        data != NULL ? document_root(data) : VALUE_NONE, language);
    document_destroy(diagnosis);
    document_destroy(findings);
    text_finish(&found);
    document_destroy(data);
    return error;
}

// The answer, which has been written as JSON, for a terminal.
static int write_terminal(const Request *request, const JobRow *row, const char *json, Text *out) {
    Document *document = NULL;
    JobView view;
    int error = parse(json, &document);
    if (error != OK)
        return error;
    Value root = document_root(document);
    job_view_init(&view, request);
    text_add_format(out, "%s  %s  %s\n", row->id, row->name,
                    value_string(value_member(root, "verdict")));
    job_view_write_checklist(&view, value_member(root, "checklist"), out);
    job_view_write_findings(&view, row, value_member(root, "findings"), out);
    document_destroy(document);
    return out->failed ? ERR_NO_MEMORY : OK;
}

static void answer_diagnosis(Request *request, const JobRow *row, JsonOut *json,
                             Language language) {
    answer_header(request, "Vary", "Accept");
    answer_language(request, language);
    if (strcmp(request_preferred_type(request), "text/plain") != 0) {
        answer_json(request, 200, json);
        return;
    }
    Text text;
    text_init(&text);
    int error = json->text.failed ? ERR_NO_MEMORY
                                  : write_terminal(request, row, text_string(&json->text), &text);
    if (error == OK)
        answer_text(request, 200, "text/plain; charset=utf-8", &text);
    else
        answer_error(request, error, NULL);
    text_finish(&text);
}

static void job_diagnosis_get(Request *request) {
    JobRow row;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    JsonOut out;
    json_init(&out);
    Language language = request_language(request);
    int error = diagnosis_write(request_services(request)->store, &row, language, &out);
    if (error == OK)
        answer_diagnosis(request, &row, &out, language);
    else
        answer_error(request, error, NULL);
    json_finish(&out);
    job_row_finish(&row);
}

static const int errors[] = {404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/diagnosis",
     .tag = "jobs",
     .summary = "What is wrong with its training, why, and what mends it",
     .status = 200,
     .produces = job_view_types,
     .response_schema = "Diagnosis",
     .errors = errors,
     .handler = job_diagnosis_get},
};

const RouteGroup job_diagnosis_routes = {"job_diagnosis", NULL, routes, ARRAY_LENGTH(routes)};
