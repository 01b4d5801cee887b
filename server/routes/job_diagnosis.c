// What is wrong with a job's training, and what mends it: its worker's newest diagnosis, and what was found in its dataset.
//
// The worker tells it in English, with codes and numbers; here it is put into the language that is asked for, by the table of texts
// that the worker uses too. What the dataset's profile found is a fact about data: where it hurt the run, the worker's rules say so.
#include <stdio.h>
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

// The first of the header's that is one, by its quality.
Language request_language(const Request *request) {
    const char *header = request_query(request, "lang");
    if (header == NULL)
        header = request_header(request, "Accept-Language");
    double best = 0;
    Language language = LANGUAGE_ENGLISH;
    while (header != NULL && *header != '\0') {
        header += strspn(header, " ,\t");
        size_t length = strcspn(header, ",");
        double quality = 1;
        const char *parameter = memchr(header, ';', length);
        if (parameter != NULL && sscanf(parameter, "; q=%lf", &quality) != 1)
            sscanf(parameter, ";q=%lf", &quality);
        bool japanese = strncmp(header, "ja", 2) == 0, english = strncmp(header, "en", 2) == 0;
        if ((japanese || english) && quality > best) {
            best = quality;
            language = japanese ? LANGUAGE_JAPANESE : LANGUAGE_ENGLISH;
        }
        header += length;
    }
    return language;
}

// ---- texts ----

static bool find_evidence(void *context, const char *name, double *ret_number,
                          const char **ret_word) {
    const Value *item = context;
    if (strcmp(name, "layer") == 0) {
        *ret_word = value_string(value_member(*item, "layer"));
        return *ret_word != NULL;
    }
    Value value = value_member(value_member(*item, "evidence"), name);
    if (value_kind(value) == VALUE_STRING)
        *ret_word = value_string(value);
    else if (value_kind(value) == VALUE_NUMBER)
        *ret_number = value_number(value);
    else
        return false;
    return true;
}

// The text of the table with the item's numbers; where it has none, as it was told.
static void write_text(JsonOut *out, const char *key, const char *template, Value item,
                       const char *told) {
    Text text;
    if (template == NULL || told == NULL) {
        json_string(out, key, told);
        return;
    }
    text_init(&text);
    texts_render(template, &(TextValues){&item, find_evidence}, &text);
    json_string(out, key, text_string(&text));
    out->text.failed |= text.failed;
    text_finish(&text);
}

static void write_remedies(JsonOut *out, Value remedies, Language language) {
    ValueWriter writer = json_writer(out);
    json_begin_array(out, "remedies");
    VALUE_FOREACH(remedy, remedies) {
        const char *code = value_string(value_member(remedy, "code"));
        json_begin_object(out, NULL);
        json_string(out, "code", code);
        json_string(out, "title", texts_find_joined(language, "remedy", code, "title"));
        json_string(out, "why", texts_find_joined(language, "remedy", code, "why"));
        write_value(&writer, "patch", value_member(remedy, "patch"));
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_finding(JsonOut *out, Value finding, Language language, const char *severity) {
    ValueWriter writer = json_writer(out);
    const char *code = value_string(value_member(finding, "code"));
    const char *symptom = value_string(value_member(finding, "symptom"));
    json_begin_object(out, NULL);
    VALUE_FOREACH(member, finding) {
        const char *key = value_key(member);
        if (strcmp(key, "severity") == 0)
            json_string(out, key, severity);
        else if (strcmp(key, "explanation") == 0)
            write_text(out, key,
                       language == LANGUAGE_ENGLISH
                           ? NULL
                           : texts_find_joined(language, "finding", code, symptom),
                       finding, value_string(member));
        else if (strcmp(key, "remedies") == 0)
            write_remedies(out, member, language);
        else
            write_value(&writer, key, member);
    }
    json_end_object(out);
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
        write_text(out, "note", texts_find_joined(language, "note", name, NULL), item,
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
static int read_findings(Store *store, const JobRow *row, Text *text, Document **ret_document) {
    text_add_char(text, '[');
    int error = job_findings_read_run(store, row, text);
    text_add_char(text, ']');
    if (error != OK)
        return error;
    return text->failed ? ERR_NO_MEMORY : parse(text_string(text), ret_document);
}

static void write_diagnosis(JsonOut *out, Value diagnosis, Value findings, Value data,
                            Language language) {
    static const char *const verdicts[] = {"healthy", "warning", "critical"};
    int worst = 0;
    VALUE_FOREACH(finding, findings) {
        int severity = severity_of(value_string(value_member(finding, "severity")));
        worst = severity > worst ? severity : worst;
    }
    json_begin_object(out, NULL);
    json_string(out, "verdict", verdicts[worst]);
    json_begin_array(out, "findings");
    VALUE_FOREACH(finding, findings)
    write_finding(out, finding, language, value_string(value_member(finding, "severity")));
    VALUE_FOREACH(finding, data) {
        if (!has_code(findings, value_string(value_member(finding, "code"))))
            write_finding(out, finding, language, "info");
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
        error = read_findings(store, row, &found, &findings);
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

const char *language_tag(Language language) {
    return language == LANGUAGE_JAPANESE ? "ja" : "en";
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
    job_view_write_checklist(value_member(root, "checklist"), out);
    job_view_write_findings(&view, row, value_member(root, "findings"), out);
    document_destroy(document);
    return out->failed ? ERR_NO_MEMORY : OK;
}

static void answer_diagnosis(Request *request, const JobRow *row, JsonOut *json,
                             Language language) {
    answer_header(request, "Content-Language", "%s", language_tag(language));
    answer_header(request, "Vary", "Accept, Accept-Language");
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
