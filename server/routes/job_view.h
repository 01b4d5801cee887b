// A job as its asker wants to see it: JSON, or with `Accept: text/plain` a page for a terminal: what it is, curves of its losses
// and of every layer's gradients as sparklines, its findings with their remedies, and the next command to type.
#pragma once
#include "core/base/value.h"
#include "server/routes/language.h"
#include "server/store/tables.h"

extern const char *const job_view_types[]; // what it can be; NULL-terminated

typedef struct JobView {
    bool text;
    bool token; // commands must bear one
    Language language;
    char host[128]; // of commands
} JobView;

void job_view_init(JobView *view, const Request *request); // by what the request prefers
const char *job_view_type(const JobView *view);            // the answer's Content-Type
int job_view_write(const JobView *view, Store *store, const JobRow *row, Text *out);
// The findings, a list as in a diagnosis, with their evidence and remedies; and the next command.
void job_view_write_findings(const JobView *view, const JobRow *row, Value findings, Text *out);
// The items of a diagnosis's checklist that want attention.
void job_view_write_checklist(const JobView *view, Value checklist, Text *out);
