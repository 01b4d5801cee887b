#include "server/routes/spread.h"

#include <math.h>

enum { AGREEING_RUNS = 3, FRACTION_TERMS = 300 };
static const double SIGNIFICANCE = 0.05;

// ---- Student's distribution ----

// The regularised incomplete beta function by its continued fraction (DLMF 8.17.22), which converges fast below the mean.
static double beta_fraction(double a, double b, double x) {
    double f = 1;
    for (int k = FRACTION_TERMS; k >= 1; k--) {
        double m = floor(k / 2.0);
        double d = k % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                              : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        f = 1 + d / f;
    }
    double front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a;
    return front / f;
}

static double beta_regularised(double a, double b, double x) {
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    return x < (a + 1) / (a + b + 2) ? beta_fraction(a, b, x) : 1 - beta_fraction(b, a, 1 - x);
}

double spread_p(double t, double degrees) {
    return beta_regularised(degrees / 2, 0.5, degrees / (degrees + t * t));
}

// ---- samples ----

typedef struct Sample {
    double mean, variance; // of n − 1
    size_t count;
} Sample;

static Sample sample_of(const SpreadRun *runs, size_t count) {
    Sample sample = {.count = count};
    for (size_t i = 0; i < count; i++)
        sample.mean += runs[i].value / (double)count;
    for (size_t i = 0; i < count; i++)
        sample.variance += pow(runs[i].value - sample.mean, 2) / (double)(count - 1);
    return sample;
}

static const SpreadRun *twin_of(const SpreadRun *runs, size_t count, int64_t seed) {
    for (size_t i = 0; i < count; i++)
        if (runs[i].seed == seed)
            return &runs[i];
    return NULL;
}

static bool all_paired(const SpreadRun *from, size_t from_count, const SpreadRun *to,
                       size_t to_count) {
    for (size_t i = 0; i < from_count; i++)
        if (twin_of(to, to_count, from[i].seed) == NULL)
            return false;
    return from_count == to_count;
}

// The squared standard error of the mean difference over the pairs.
static double paired_error(const SpreadRun *from, const SpreadRun *to, size_t count,
                           double difference) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += pow(twin_of(to, count, from[i].seed)->value - from[i].value - difference, 2);
    return squares / (double)(count - 1) / (double)count;
}

void spread_compare(const SpreadRun *from, size_t from_count, const SpreadRun *to, size_t to_count,
                    Spread *ret_spread) {
    Sample before = sample_of(from, from_count), after = sample_of(to, to_count);
    Spread spread = {.from_mean = before.mean,
                     .from_std = sqrt(before.variance),
                     .to_mean = after.mean,
                     .to_std = sqrt(after.variance),
                     .difference = after.mean - before.mean,
                     .p = NAN,
                     .paired = all_paired(from, from_count, to, to_count)};
    double a = before.variance / (double)before.count, b = after.variance / (double)after.count;
    double error = a + b, degrees = (double)before.count - 1;
    if (spread.paired)
        error = paired_error(from, to, from_count, spread.difference);
    else if (error > 0)
        degrees = error * error /
                  (a * a / (double)(before.count - 1) + b * b / (double)(after.count - 1));
    double scale = fabs(before.mean) + fabs(after.mean);
    if (error > 1e-24 * scale * scale) { // more than rounding
        spread.p = spread_p(spread.difference / sqrt(error), degrees);
        spread.exceeds = spread.p < SIGNIFICANCE;
    } else {
        spread.exceeds = fabs(spread.difference) > 1e-12 * scale && from_count >= AGREEING_RUNS &&
                         to_count >= AGREEING_RUNS;
    }
    *ret_spread = spread;
}
