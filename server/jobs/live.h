// The list of those who watch a job. For server/jobs; routes use jobs.h.
#pragma once
#include "server/jobs/jobs.h"

typedef struct Live Live;

int live_create(Live **ret_live);
void live_destroy(Live *live);                 // takes NULL
void live_notify(Live *live, const char *job); // wakes its watchers; NULL: everybody's
Live *pool_live(Pool *pool);
