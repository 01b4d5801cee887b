// The frame of an optimizer's step: one pass over the weights in blocks that stay in the nearest
// cache. In a block the entry's own loop updates the weights and leaves Δw; then the sums of
// squares are taken while both are still near. Sums run in fixed lanes in double, so that they
// repeat exactly.
#pragma once
#include "core/optimizers/optimizers.h"

enum { STEP_BLOCK = 512, STEP_LANES = 8 };

// The gradient after both clippings. A NaN passes through them.
static inline Real step_gradient(Real gradient, Real scale, Real bound) {
    gradient *= scale;
    gradient = gradient > bound ? bound : gradient;
    return gradient < -bound ? -bound : gradient;
}

static inline Real step_root(Real x) {
#ifdef BACKPROPD_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

static inline double step_squares(const Real *x, size_t n) {
    double lane[STEP_LANES] = {0};
    size_t whole = n - n % STEP_LANES;
    for (size_t i = 0; i < whole; i += STEP_LANES) {
        for (size_t j = 0; j < STEP_LANES; j++) {
            lane[j] += (double)x[i + j] * (double)x[i + j];
        }
    }
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += (double)x[i] * (double)x[i];
    }
    double sum = 0;
    for (size_t j = 0; j < STEP_LANES; j++) {
        sum += lane[j];
    }
    return sum;
}

// update(call, begin, count, delta) steps weights begin … begin + count − 1 and writes their
// changes.
static inline OptimizerSums step_blocks(const OptimizerCall *call,
                                        void (*update)(const OptimizerCall *call, size_t begin,
                                                       size_t count, Real *delta)) {
    OptimizerSums sums = {0};
    Real delta[STEP_BLOCK];
    for (size_t begin = 0; begin < call->count; begin += STEP_BLOCK) {
        size_t count = call->count - begin < STEP_BLOCK ? call->count - begin : STEP_BLOCK;
        update(call, begin, count, delta);
        sums.update_squares += step_squares(delta, count);
        sums.weight_squares += step_squares(call->weights + begin, count);
    }
    return sums;
}
