// Filling a weight with drawn numbers.
#pragma once
#include "core/inits/inits.h"

// for (each element of the matrix): `element` points to it.
#define DRAW_FOREACH(element, call, weight)                                                        \
    for (size_t row = 0; row < (call)->rows; row++)                                                \
        for (Real *element = (weight) + row * (call)->stride, *end = element + (call)->columns;    \
             element < end; element++)

static inline void draw_normal(const InitCall *call, double deviation, Real *weight) {
    DRAW_FOREACH(element, call, weight)
    *element = (Real)(deviation * rng_normal(call->rng));
}

// Between −half_width and half_width.
static inline void draw_uniform(const InitCall *call, double half_width, Real *weight) {
    DRAW_FOREACH(element, call, weight)
    *element = (Real)(half_width * (2 * rng_uniform(call->rng) - 1));
}

static inline void fill_constant(const InitCall *call, double value, Real *weight) {
    DRAW_FOREACH(element, call, weight)
    *element = (Real)value;
}
