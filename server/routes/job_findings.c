#include "server/routes/job_findings.h"

#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/json_out.h"
#include "server/routes/job_seeds.h"

static int parse(const char *text, size_t length, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(text, length, NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

static void separate(Text *text) {
    if (text->length > 1)
        text_add_char(text, ',');
}

static void add_item(Text *text, const JsonOut *item) {
    if (item->text.length > 0) {
        separate(text);
        text_add(text, text_string(&item->text));
    }
    text->failed |= item->text.failed;
}

static void add_finding(Text *text, Value finding, Language language) {
    JsonOut out;
    json_init(&out);
    finding_tell(&out, finding, NULL, language);
    add_item(text, &out);
    json_finish(&out);
}

static bool hurts(Value finding) {
    const char *severity = value_string(value_member(finding, "severity"));
    return severity != NULL && strcmp(severity, "info") != 0;
}

static bool of_seeds(Value finding) {
    const char *code = value_string(value_member(finding, "code"));
    return code != NULL && strcmp(code, "seed_sensitive") == 0;
}

// The items of an array, out of the newest diagnosis of the job's worker. What seeds were seen to do takes the place of what was feared
// of them: behind all that hurts where it hurts, else last.
static int add_diagnosis(Store *store, const char *job, Language language, const JsonOut *seeds,
                         bool seeds_hurt, Text *text) {
    AUTO_FREE char *json = NULL;
    Document *document = NULL;
    int error = diagnoses_get(store, job, &json);
    if (error != OK)
        return error == ERR_NOT_FOUND ? OK : error; // it has not begun
    error = parse(json, strlen(json), &document);
    if (error != OK)
        return error;
    bool seen = seeds->text.length == 0;
    VALUE_FOREACH(finding, value_member(document_root(document), "findings")) {
        if (seeds->text.length > 0 && of_seeds(finding))
            continue;
        if (!seen && seeds_hurt && !hurts(finding)) {
            add_item(text, seeds);
            seen = true;
        }
        add_finding(text, finding, language);
    }
    if (!seen)
        add_item(text, seeds);
    document_destroy(document);
    return OK;
}

// The items of a dataset's array "[…]".
static int add_dataset(Store *store, const char *id, Language language, Text *text) {
    DatasetRow row;
    Document *document = NULL;
    int error = datasets_get(store, id, &row);
    if (error != OK)
        return error == ERR_NOT_FOUND ? OK : error; // deleted since: what it had is not known
    if (row.findings != NULL)
        error = parse(row.findings, strlen(row.findings), &document);
    VALUE_FOREACH(finding, document != NULL ? document_root(document) : VALUE_NONE)
    add_finding(text, finding, language);
    document_destroy(document);
    dataset_row_finish(&row);
    return error;
}

int job_findings_read_run(Store *store, const JobRow *row, Language language, Text *out) {
    bool seeds_hurt;
    JsonOut seeds;
    json_init(&seeds);
    int error = job_seeds_write(store, row, language, &seeds, &seeds_hurt);
    if (error == OK)
        error = add_diagnosis(store, row->id, language, &seeds, seeds_hurt, out);
    json_finish(&seeds);
    return error;
}

int job_findings_read(Store *store, const JobRow *row, Language language,
                      JobFindings *ret_findings) {
    Text text;
    JobFindings findings = {0};
    text_init(&text);
    text_add_char(&text, '[');
    int error = job_findings_read_run(store, row, language, &text);
    if (error == OK)
        error = add_dataset(store, row->dataset, language, &text);
    text_add_char(&text, ']');
    size_t length = text.length;
    findings.text = text_take(&text);
    if (error == OK && findings.text == NULL)
        error = ERR_NO_MEMORY;
    if (error == OK)
        error = parse(findings.text, length, &findings.document);
    if (error != OK) {
        job_findings_finish(&findings);
        return error;
    }
    *ret_findings = findings;
    return OK;
}

void job_findings_finish(JobFindings *findings) {
    document_destroy(findings->document);
    memory_free(findings->text);
    *findings = (JobFindings){0};
}

Value job_findings_list(const JobFindings *findings) {
    return document_root(findings->document);
}
