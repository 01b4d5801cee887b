// Exponential functions in the precision of a Real, in the ranges that activations need.
//
// In double, where numbers are checked, they are the C library's. In single precision, where nets
// train, they are polynomials without branches or calls, so that a loop over them becomes vector
// code: several times faster, within a few units in the last place
// (tests/core/activations/test_real_math.c). The coefficients are interpolations at Chebyshev
// nodes. All pass a NaN on.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "core/base/real.h"

#ifdef BACKPROPD_DOUBLE

static inline Real real_abs(Real x) {
    return fabs(x);
}

// eˣ for x ≤ 0.
static inline Real real_exp_negative(Real x) {
    return exp(x);
}

// eˣ − 1 for x ≤ 0.
static inline Real real_expm1_negative(Real x) {
    return expm1(x);
}

static inline Real real_tanh(Real x) {
    return tanh(x);
}

// ln(1 + x) for 0 ≤ x ≤ 1.
static inline Real real_log1p_unit(Real x) {
    return log1p(x);
}

// The normal distribution Φ(x), and its density φ(x).
static inline Real real_normal(Real x, Real *ret_density) {
    *ret_density = M_2_SQRTPI * M_SQRT1_2 / 2 * exp(-x * x / 2);
    return erfc(-x * M_SQRT1_2) / 2;
}

#else

static inline Real real_abs(Real x) {
    return fabsf(x);
}

// eˣ = scale + scale · rest for −87.3 ≤ x ≤ 0: x = n ln 2 + r with |r| ≤ ln 2 / 2, scale = 2ⁿ, rest
// = eʳ − 1.
static inline void real_exp_parts(float x, float *ret_scale, float *ret_rest) {
    const float to_integer = 0x1.8p23f; // added, it leaves the nearest integer in the low bits
    float shifted = x * (float)M_LOG2E + to_integer, n = shifted - to_integer;
    // ln 2 in two parts, the first with few enough bits that n times it is exact.
    float r = (x - n * 0x1.63p-1f) - n * -2.12194440e-4f;
    float q = 1.392625083056362e-3f;
    q = q * r + 8.363232883678302e-3f;
    q = q * r + 4.166655421299355e-2f;
    q = q * r + 1.666657666612001e-1f;
    q = q * r + 0.5f;
    *ret_rest = r + r * r * q;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits << 23) + 0x3f800000u; // n into the exponent
    memcpy(ret_scale, &bits, sizeof(bits));
}

// The least x whose eˣ is not yet subnormal; below it eˣ counts as 0.
#define REAL_EXP_LEAST (-87.3f)

static inline float real_exp_negative(float x) {
    float scale, rest;
    real_exp_parts(x < REAL_EXP_LEAST ? REAL_EXP_LEAST : x, &scale, &rest);
    return x < REAL_EXP_LEAST ? 0 : scale + scale * rest;
}

static inline float real_expm1_negative(float x) {
    float scale, rest;
    real_exp_parts(x < REAL_EXP_LEAST ? REAL_EXP_LEAST : x, &scale, &rest);
    return scale * rest + (scale - 1);
}

// tanh |x| = −m / (2 + m) with m = e^(−2|x|) − 1: no digits are lost near 0.
static inline float real_tanh(float x) {
    float m = real_expm1_negative(-2 * fabsf(x));
    return copysignf(-m / (2 + m), x);
}

// ln(1 + x) = 2 artanh s with s = x / (2 + x) ≤ 1/3.
static inline float real_log1p_unit(float x) {
    float s = x / (2 + x), z = s * s;
    float p = 0.1407888917087803f;
    p = p * z + 0.13982578875093457f;
    p = p * z + 0.20012297615154293f;
    p = p * z + 0.3333316082069483f;
    p = p * z + 1.0000000038408792f;
    return 2 * s * p;
}

// Φ(−|x|) = e^(−x²/2) t p(t) with t = 1 / (1 + 0.27 |x|), the form of Abramowitz & Stegun 7.1.26:
// right to the last digits far out in the tail too.
static inline float real_normal(float x, float *ret_density) {
    float t = 1 / (1 + 0.27f * fabsf(x));
    float p = 0.028935147048072873f;
    p = p * t + -0.1263972208855288f;
    p = p * t + 0.16967931808219494f;
    p = p * t + -0.06917150683260641f;
    p = p * t + 0.10785016271932323f;
    p = p * t + 0.07202098334273663f;
    p = p * t + 0.10182118862066611f;
    p = p * t + 0.10754118837842222f;
    p = p * t + 0.10772074997235374f;
    float bell = real_exp_negative(-0.5f * x * x), tail = bell * t * p;
    *ret_density = (float)(M_2_SQRTPI * M_SQRT1_2 / 2) * bell;
    return x < 0 ? tail : 1 - tail;
}

#endif

// 1 / (1 + e⁻ˣ) without overflow: the exponent is never positive.
static inline Real real_sigmoid(Real x) {
    Real e = real_exp_negative(-real_abs(x));
    return (x < 0 ? e : 1) / (1 + e);
}
