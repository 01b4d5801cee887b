// Whether two samples of a metric differ by more than they scatter.
//
// Where both have a run of each seed, the runs are compared pair by pair (Student's paired t test): the seed decides the split,
// so that what is common to both cancels out. Otherwise Welch's t test, which lets the variances differ (Welch 1947). p is
// two-sided; a difference is called more than luck where p < 0.05. Samples that do not scatter at all tell nothing by t: then
// three runs each must agree.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SpreadRun {
    int64_t seed;
    double value;
} SpreadRun;

typedef struct Spread {
    double from_mean, from_std, to_mean, to_std; // NAN: std of one run
    double difference;                           // to − from
    double p;                                    // NAN: nothing scatters
    bool paired, exceeds;
} Spread;

// Both have at least two runs, of seeds all different.
void spread_compare(const SpreadRun *from, size_t from_count, const SpreadRun *to, size_t to_count,
                    Spread *ret_spread);
double spread_p(double t,
                double degrees); // two-sided, of Student's t with so many degrees of freedom
