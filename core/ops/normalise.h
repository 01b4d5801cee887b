// The loops of normalisations over places of channels: sums for each channel, and what they make of
// each value. Sums are in double: a channel may have millions of values.
//
// Channels are few and places many, so the loops run over rows of `width` numbers: as many places
// side by side as make a row worth vector code. Arrays of one number a channel are spread to that
// width, and the sums are folded afterwards. Values come as `count` numbers, whole places, the first
// of channel 0.
#pragma once
#include <stddef.h>
#include "core/base/real.h"

size_t norm_width(size_t channels); // a multiple of the channels

// values [width]: repeats the first `channels`.
void norm_spread(Real *values, size_t channels, size_t width);
// sums [width]: adds all to the first `channels`.
void norm_fold(double *sums, size_t channels, size_t width);

// sum += Σ (x − origin), squares += Σ (x − origin)². An origin near the values keeps what is
// subtracted later from cancelling. All but x [width].
void norm_moments(const Real *x, size_t count, const Real *origin, size_t width, double *sum,
                  double *squares);
// sum += Σ dy, products += Σ dy · (x − mean)
void norm_products(const Real *dy, const Real *x, size_t count, const Real *mean, size_t width,
                   double *sum, double *products);
// y = (x − mean) · scale + shift; y may be x
void norm_apply(const Real *x, size_t count, const Real *mean, const Real *scale, const Real *shift,
                size_t width, Real *y);
// dx = dy · scale − (x − mean) · slope − shift; dx may be dy
void norm_back(const Real *dy, const Real *x, size_t count, const Real *mean, const Real *scale,
               const Real *slope, const Real *shift, size_t width, Real *dx);

// How many parts the rows of a sum fall into, each added up by itself and by one thread: a function
// of the sizes alone, so that the sum is the same on any number of threads.
enum { NORM_PARTS_MAX = 16 };
size_t norm_parts(size_t rows, size_t elements);
// The first row of part `part`; of part `parts`: the end.
static inline size_t norm_part_begin(size_t rows, size_t parts, size_t part) {
    return rows * part / parts;
}
