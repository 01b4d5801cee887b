#include "server/routes/job_findings.h"

#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/json_out.h"

static void separate(Text *text) {
    if (text->length > 1)
        text_add_char(text, ',');
}

// The items of an array, out of the newest diagnosis of the job's worker.
static int add_diagnosis(Store *store, const char *job, Text *text) {
    AUTO_FREE char *json = NULL;
    Document *document = NULL;
    Issues issues;
    int error = diagnoses_get(store, job, &json);
    if (error != OK)
        return error == ERR_NOT_FOUND ? OK : error; // it has not begun
    issues_init(&issues);
    error = document_parse(json, strlen(json), NULL, &issues, &document);
    issues_finish(&issues);
    if (error != OK)
        return error;
    VALUE_FOREACH(finding, value_member(document_root(document), "findings")) {
        JsonOut out;
        json_init(&out);
        ValueWriter writer = json_writer(&out);
        write_value(&writer, NULL, finding);
        separate(text);
        text_add(text, text_string(&out.text));
        text->failed |= out.text.failed;
        json_finish(&out);
    }
    document_destroy(document);
    return OK;
}

// The items of a dataset's array "[…]".
static int add_dataset(Store *store, const char *id, Text *text) {
    DatasetRow row;
    int error = datasets_get(store, id, &row);
    if (error != OK)
        return error == ERR_NOT_FOUND ? OK : error; // deleted since: what it had is not known
    size_t length = row.findings == NULL ? 0 : strlen(row.findings);
    if (length > 2) {
        separate(text);
        text_add_bytes(text, row.findings + 1, length - 2);
    }
    dataset_row_finish(&row);
    return OK;
}

int job_findings_read(Store *store, const JobRow *row, JobFindings *ret_findings) {
    Text text;
    Issues issues;
    JobFindings findings = {0};
    text_init(&text);
    text_add_char(&text, '[');
    int error = add_diagnosis(store, row->id, &text);
    if (error == OK)
        error = add_dataset(store, row->dataset, &text);
    text_add_char(&text, ']');
    size_t length = text.length;
    findings.text = text_take(&text);
    if (error == OK && findings.text == NULL)
        error = ERR_NO_MEMORY;
    issues_init(&issues);
    if (error == OK)
        error = document_parse(findings.text, length, NULL, &issues, &findings.document);
    issues_finish(&issues);
    if (error != OK) {
        job_findings_finish(&findings);
        return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
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
