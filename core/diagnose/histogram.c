// Two passes over a bounded sample: bounds, then counts.
#include "core/diagnose/histogram.h"
#include <math.h>

void histogram_take(const Real *x, size_t count, Histogram *ret_histogram) {
    size_t step = count > HISTOGRAM_SAMPLE ? count / HISTOGRAM_SAMPLE : 1;
    double least = INFINITY, greatest = -INFINITY;
    for (size_t i = 0; i < count; i += step) {
        double value = (double)x[i];
        if (!isfinite(value))
            continue;
        least = fmin(least, value);
        greatest = fmax(greatest, value);
    }
    *ret_histogram = (Histogram){.least = NAN, .greatest = NAN};
    if (least > greatest)
        return;
    if (least ==
        greatest) { // all alike: one bin has them, in the middle of a range that is not empty
        double half = fabs(least) > 0 ? fabs(least) * 1e-3 : 1e-6;
        least -= half;
        greatest += half;
    }
    double scale = HISTOGRAM_BINS / (greatest - least);
    ret_histogram->least = least;
    ret_histogram->greatest = greatest;
    for (size_t i = 0; i < count; i += step) {
        double value = (double)x[i];
        if (!isfinite(value))
            continue;
        int bin = (int)((value - least) * scale);
        ret_histogram->counts[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1]++;
    }
}
