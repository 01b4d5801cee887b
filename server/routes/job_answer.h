// A job as the contract shows it.
#pragma once
#include "server/routes/language.h"
#include "server/store/tables.h"

void job_write(JsonOut *out, const JobRow *row, Language language);
// Into the object that is open.
void job_write_members(JsonOut *out, const JobRow *row, Language language);
bool job_ended(const JobRow *row);
// The job with this id: OK, or an error that has been answered.
int job_find(Request *request, const char *id, JobRow *ret_row);
// The header Last-Event-ID: what is answered knows of the job's events up to this one, and GET …/events?after= goes on from it.
void answer_newest_event(Request *request, const JobRow *row);
void answer_job(Request *request, int status, const char *id);
// Why jobs_insert… took no job: 429 where the queue is full.
void answer_not_queued(Request *request, int error);
