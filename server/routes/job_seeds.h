// What the seeds of a rerun show: whether the same job learns with one seed and not with another.
#pragma once
#include "core/diagnose/texts.h"
#include "server/base/json_out.h"
#include "server/store/tables.h"

// The finding `seed_sensitive`, as one of a diagnosis, where at least three runs of this job's spec under different seeds have ended and
// lie far apart; else nothing is added. ret_hurts: this job's seed is one of the unlucky ones.
int job_seeds_write(Store *store, const JobRow *row, Language language, JsonOut *out,
                    bool *ret_hurts);
