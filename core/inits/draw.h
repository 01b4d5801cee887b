// Filling a weight with drawn numbers.
#pragma once
#include "core/inits/inits.h"

static inline void draw_normal(const InitCall *call, double deviation, Real *weight) {
    for (size_t i = 0; i < call->rows * call->columns; i++) {
        weight[i] = (Real)(deviation * rng_normal(call->rng));
    }
}

// Between −half_width and half_width.
static inline void draw_uniform(const InitCall *call, double half_width, Real *weight) {
    for (size_t i = 0; i < call->rows * call->columns; i++) {
        weight[i] = (Real)(half_width * (2 * rng_uniform(call->rng) - 1));
    }
}

static inline void fill_constant(const InitCall *call, double value, Real *weight) {
    for (size_t i = 0; i < call->rows * call->columns; i++) {
        weight[i] = (Real)value;
    }
}
