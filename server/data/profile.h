// What arrives is looked at once: each column's numbers, how many rows a class has, and what that should make one wary of.
// For the files of server/data.
#pragma once
#include "core/tensor/shape.h"
#include "server/data/columns.h"
#include "server/data/findings.h"
#include "server/data/targets.h"

enum {
    PROFILE_FEATURES_MAX = 1000,   // more are counted, not listed
    PROFILE_DISTINCT_MAX = 100000, // values of a feature up to which "distinct" is exact
};

// inputs [rows, shape], NaN: missing. columns: NULL where rows are plain. Writes the profile's object.
int profile_write(const float *inputs, int64_t rows, const Shape *shape, const Columns *columns,
                  const Targets *targets, JsonOut *out, Findings *findings);
