// xoshiro256++ (Blackman & Vigna 2021), keyed by what its numbers are for.
#include "core/base/rng.h"
#include <math.h>

// One step of splitmix64 (Steele, Lea & Flood 2014): a bijection of 64 bits that mixes them all.
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

Rng rng_make(uint64_t seed, RngPurpose purpose, uint64_t a, uint64_t b) {
    // A chain of bijections: keys that differ in one word never meet.
    uint64_t key = mix(mix(mix(mix(seed) ^ (uint64_t)purpose) ^ a) ^ b);
    Rng rng;
    for (int i = 0; i < 4; i++) {
        rng.state[i] = mix(key + (uint64_t)i * 0x9e3779b97f4a7c15);
    }
    return rng;
}

uint64_t rng_next(Rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rng_uniform(Rng *rng) {
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_normal(Rng *rng) {
    // Box & Muller 1958. The second number of the pair is not kept: a generator is only its state.
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng))); // 1 − u is never 0
    return radius * cos(2.0 * M_PI * rng_uniform(rng));
}

uint64_t rng_below(Rng *rng, uint64_t bound) {
    // Lemire 2019: the high word of a 128-bit product, redrawn where the low word would bias it.
    __uint128_t product = (__uint128_t)rng_next(rng) * bound;
    if ((uint64_t)product < bound) {
        uint64_t threshold = -bound % bound;
        while ((uint64_t)product < threshold) {
            product = (__uint128_t)rng_next(rng) * bound;
        }
    }
    return (uint64_t)(product >> 64);
}

void rng_shuffle(Rng *rng, int32_t *items, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i);
        int32_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
