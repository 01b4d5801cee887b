// How the numbers of an array are spread: counts in bins of equal width between the least and the greatest.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "core/base/real.h"

// Of a larger array only about so many are counted, at even distances: the picture does not change, and the cost is bounded.
enum { HISTOGRAM_BINS = 32, HISTOGRAM_SAMPLE = 4096 };

typedef struct Histogram {
    double least, greatest; // edges of the first and the last bin; NAN: nothing was finite
    int64_t counts[HISTOGRAM_BINS];
} Histogram;

//  X(kind): what of a layer a histogram is of
#define HISTOGRAM_KINDS(X) X(gradient) X(weight) X(activation)

typedef struct LayerHistograms {
#define X(kind) Histogram kind;
    HISTOGRAM_KINDS(X)
#undef X
} LayerHistograms;

// x [count]; what is not finite is left out.
void histogram_take(const Real *x, size_t count, Histogram *ret_histogram);
