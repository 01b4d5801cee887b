// A look at a job's data before it trains: a few hundred rows as the net gets them, held against plain methods.
#pragma once
#include "core/train/batches.h"

extern const Survey SURVEY_NONE; // nothing is known

// Fills the survey; what cannot be told stays NAN. `batch` is borrowed and left changed. At most about `work` multiplications.
// ERR_NO_MEMORY.
int survey_take(const Job *job, Batch *batch, double work, Survey *ret_survey);
