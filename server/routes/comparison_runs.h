// The runs of one spec under several seeds: a job and those that differ from it in their seed alone, among its reruns and its
// parent's.
#pragma once
#include "server/routes/spread.h"
#include "server/store/tables.h"

enum { COMPARISON_RUNS_MAX = 64 };

typedef struct ComparisonRun {
    char id[ID_TEXT], status[16];
    int64_t seed;
    char *metrics; // JSON; NULL
} ComparisonRun;

typedef struct ComparisonRuns {
    ComparisonRun *items; // [count] the job itself first
    size_t count;
    char *
        spec; // what they have in common: without seed, name and what else leaves the weights alone
} ComparisonRuns;

int comparison_runs_find(Store *store, const JobRow *job, ComparisonRuns *ret_runs);
void comparison_runs_finish(ComparisonRuns *runs); // of a zeroed one too
// The runs that have ended well and have this metric: ret_values [COMPARISON_RUNS_MAX]; returns how many.
size_t comparison_runs_values(const ComparisonRuns *runs, const char *metric,
                              SpreadRun *ret_values);
// A metric of a JSON object as text ("{"val_loss": 0.3}", NULL): NAN where it has none.
double metric_read(const char *metrics, const char *name);
