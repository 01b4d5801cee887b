// What was found about a job: what its run found, in that order, then what its dataset's profile found.
#pragma once
#include "server/routes/language.h"
#include "server/store/tables.h"

typedef struct JobFindings {
    char *text; // the document borrows it
    Document *document;
} JobFindings;

// The items of what its run and its seeds showed, to be put between brackets: of a job that has not begun nothing.
int job_findings_read_run(Store *store, const JobRow *row, Language language, Text *out);
int job_findings_read(Store *store, const JobRow *row, Language language,
                      JobFindings *ret_findings);
void job_findings_finish(JobFindings *findings);      // of a zeroed one too
Value job_findings_list(const JobFindings *findings); // an array of findings
