// Two passes over a bounded sample: bounds, then counts.
#include "core/diagnose/histogram.h"
#include <math.h>

enum { INTERVAL_LEAST = 4, RUN_SHARE = 256 };

// The sample's k-th place: the fractions of k times the golden ratio fill [0, 1) evenly, however many there are of them.
static size_t place_of(size_t k, size_t count) {
    uint64_t fraction = (uint64_t)k * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)((unsigned __int128)fraction * count >> 64);
}

// The finite ones among the sample. Returns how many.
static size_t sample_take(const Real *x, size_t count, size_t zeros,
                          Real sample[HISTOGRAM_SAMPLE]) {
    size_t all = count + zeros, wanted = all < HISTOGRAM_SAMPLE ? all : HISTOGRAM_SAMPLE, taken = 0;
    for (size_t k = 0; k < wanted; k++) {
        size_t place = wanted == all ? k : place_of(k, all);
        Real value = place < count ? x[place] : 0;
        if (isfinite(value))
            sample[taken++] = value;
    }
    return taken;
}

void histogram_take(const Real *x, size_t count, size_t zeros, Histogram *ret_histogram) {
    Real sample[HISTOGRAM_SAMPLE];
    size_t taken = sample_take(x, count, zeros, sample);
    double least = INFINITY, greatest = -INFINITY;
    *ret_histogram = (Histogram){.counted = (int64_t)taken};
    if (taken == 0)
        return;
    for (size_t i = 0; i < taken; i++) {
        least = fmin(least, (double)sample[i]);
        greatest = fmax(greatest, (double)sample[i]);
    }
    if (!(greatest - least > 1e-6 * fmax(fabs(least), fabs(greatest)))) {
        // All alike: the middle of a range that is not empty.
        double half = fmax(1e-3 * fabs(least), 1e-6);
        least -= half;
        greatest += half;
    }
    double scale = HISTOGRAM_BINS / (greatest - least);
    ret_histogram->least = least;
    ret_histogram->greatest = greatest;
    for (size_t i = 0; i < taken; i++) {
        int bin = (int)(((double)sample[i] - least) * scale);
        ret_histogram->counts[bin < HISTOGRAM_BINS ? bin : HISTOGRAM_BINS - 1]++;
    }
}

int64_t histogram_interval(int64_t step, int64_t steps) {
    int64_t interval = INTERVAL_LEAST;
    while (interval < steps / RUN_SHARE || (step - 1) / interval >= HISTOGRAM_KEPT)
        interval *= 2;
    return interval;
}

bool histogram_due(int64_t step, int64_t steps) {
    return (step - 1) % histogram_interval(step, steps) == 0;
}
