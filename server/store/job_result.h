// The end of a job that leaves a result in place of a model. For server/jobs and server/store.
#pragma once
#include "server/store/store.h"

// As jobs_succeed (tables.h): `result` is JSON.
int jobs_succeed_with(Store *store, const char *id, int attempt, const char *progress,
                      const char *metrics, const char *best, const char *diagnosis,
                      const char *result);
