#include "server/routes/job_findings.h"

#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static void separate(Text *text) {
    if (text->length > 1)
        text_add_char(text, ',');
}

static int add_record(void *context, const Record *record) {
    Text *text = context;
    separate(text);
    text_add_bytes(text, record->body, record->length);
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
    int error = records_since(store, row->id, "finding", 0, -1, add_record, &text);
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
