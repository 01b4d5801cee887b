// How the numbers of an array are spread: counts in bins of equal width between the least and the greatest; and at which steps of a
// run that is looked at.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/real.h"

enum {
    HISTOGRAM_BINS = 32,
    HISTOGRAM_SAMPLE =
        2048,            // of a larger array only so many are counted: the picture does not change
    HISTOGRAM_KEPT = 32, // steps that are kept of a run, at most
    HISTOGRAM_LAYERS = 256, // of a deeper net the first so many are looked at
};

typedef struct Histogram {
    double least, greatest; // edges of the first and the last bin
    int64_t counted;        // 0: nothing was finite, or there is no such thing
    int64_t counts[HISTOGRAM_BINS];
} Histogram;

//  X(kind): what of a layer a histogram is of
#define HISTOGRAM_KINDS(X) X(gradient) X(weight) X(activation)

typedef struct LayerHistograms {
#define X(kind) Histogram kind;
    HISTOGRAM_KINDS(X)
#undef X
} LayerHistograms;

// x [count], then `zeros` more that are 0; what is not finite is left out. The sample is spread over the array by the golden ratio,
// so that it never keeps step with rows or units. It takes some microseconds, whatever the count.
void histogram_take(const Real *x, size_t count, size_t zeros, Histogram *ret_histogram);

// Of a run of `steps` those are looked at whose number − 1 is a multiple of the interval that holds at them. It is a power of two, at
// first about a 256th of the run and at least 4, and doubles whenever HISTOGRAM_KEPT would be passed: so steps that are kept lie
// evenly whenever the run ends, some eighty are looked at in all, and a resumed run looks at the same ones.
int64_t histogram_interval(int64_t step, int64_t steps);
bool histogram_due(int64_t step, int64_t steps);
