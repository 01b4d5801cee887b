// What arrives is looked at once: each column's numbers, how many rows a class has, and what that should make one wary of.
// For the files of server/data.
#pragma once
#include "core/model/graph_data.h"
#include "server/data/columns.h"
#include "server/data/findings.h"
#include "server/data/targets.h"

enum {
    PROFILE_FEATURES_MAX = 1000,   // more are counted, not listed
    PROFILE_DISTINCT_MAX = 100000, // values of a feature up to which "distinct" is exact
};

// columns: NULL where rows are plain. Writes the members of the profile's object that is open.
typedef struct ProfileInputs {
    const float *numbers; // [rows, shape], NaN: missing
    int64_t rows;
    Shape shape;
    bool mapped; // from a file: its pages are given back as they are read
} ProfileInputs;
int profile_write(const ProfileInputs *inputs, const Columns *columns, const Targets *targets,
                  JsonOut *out, Findings *findings);
// Likewise of nodes with features of mostly zeros, which count as numbers.
int profile_write_sparse(const GraphData *data, const Columns *columns, const Targets *targets,
                         JsonOut *out, Findings *findings);
// The member "classes" alone, and what it should make one wary of: for forms whose inputs are not rows of numbers.
void profile_write_classes(const Targets *targets, JsonOut *out);
void profile_find_in_classes(const Targets *targets, Findings *findings);
