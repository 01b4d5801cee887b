// The C library's functions in the precision of a Real.
#pragma once
#include <math.h>
#include "core/base/real.h"

#ifdef BACKPROPD_DOUBLE
#define REAL_FUNCTION(name) name
#else
#define REAL_FUNCTION(name) name##f
#endif

static inline Real real_exp(Real x) {
    return REAL_FUNCTION(exp)(x);
}

static inline Real real_expm1(Real x) {
    return REAL_FUNCTION(expm1)(x);
}

static inline Real real_log1p(Real x) {
    return REAL_FUNCTION(log1p)(x);
}

static inline Real real_tanh(Real x) {
    return REAL_FUNCTION(tanh)(x);
}

static inline Real real_erf(Real x) {
    return REAL_FUNCTION(erf)(x);
}

static inline Real real_abs(Real x) {
    return REAL_FUNCTION(fabs)(x);
}

// 1 / (1 + e⁻ˣ) without overflow: the exponent is never positive.
static inline Real real_sigmoid(Real x) {
    Real e = real_exp(-real_abs(x));
    Real small = e / (1 + e);
    return x < 0 ? small : 1 - small;
}

#undef REAL_FUNCTION
