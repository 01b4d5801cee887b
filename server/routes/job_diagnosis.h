// What is wrong with a job's training, in the reader's language, for whoever shows it.
#pragma once
#include "server/routes/language.h"
#include "server/store/tables.h"

// The whole of GET /v1/jobs/{id}/diagnosis, without findings where the job has not run yet.
int diagnosis_write(Store *store, const JobRow *row, Language language, JsonOut *out);
