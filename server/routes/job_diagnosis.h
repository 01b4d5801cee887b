// What is wrong with a job's training, in the reader's language, for whoever shows it.
#pragma once
#include "core/diagnose/texts.h"
#include "server/routes/routes.h"
#include "server/store/tables.h"

// The language that is wanted most among those that there are: by the query `lang` where the route has it and it is there, else by
// Accept-Language.
Language request_language(const Request *request);
const char *language_tag(Language language); // "en", "ja"

// The whole of GET /v1/jobs/{id}/diagnosis, without findings where the job has not run yet.
int diagnosis_write(Store *store, const JobRow *row, Language language, JsonOut *out);
