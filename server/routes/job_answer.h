// A job as the contract shows it.
#pragma once
#include "server/routes/routes.h"
#include "server/store/tables.h"

void job_write(JsonOut *out, const JobRow *row);
bool job_ended(const JobRow *row);
// The job with this id: OK, or an error that has been answered.
int job_find(Request *request, const char *id, JobRow *ret_row);
void answer_job(Request *request, int status, const char *id);
