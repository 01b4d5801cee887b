// Seeded random numbers. A generator is made from what the numbers are for, not carried along: the
// numbers of (seed, purpose, a, b) are the same whatever was drawn before. So a resumed run needs
// no saved state, and dropout's mask at step 1,000 is the same after an interruption.
//
// xoshiro256++ (Blackman & Vigna 2021), seeded by splitmix64 over a hash of the four words.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "core/base/real.h"

typedef enum RngPurpose {
    RNG_WEIGHTS = 1, // a: index of the weight
    RNG_SPLIT,       // validation split
    RNG_ORDER,       // a: epoch
    RNG_DROPOUT,     // a: step, b: node
    RNG_AUGMENT,     // a: step, b: place in the batch
    RNG_PROBE,       // tests and checks
    RNG_ATTENTION,   // dropout in it; a: step, b: node and tile
    RNG_GENERATE,    // a: place in the text that is made
} RngPurpose;

typedef struct Rng {
    uint64_t state[4];
} Rng;

Rng rng_make(uint64_t seed, RngPurpose purpose, uint64_t a, uint64_t b);
uint64_t rng_next(Rng *rng);
double rng_uniform(Rng *rng);                 // [0, 1), 53 bits
double rng_normal(Rng *rng);                  // mean 0, variance 1
uint64_t rng_below(Rng *rng, uint64_t bound); // 0 … bound − 1 without bias; bound > 0
void rng_shuffle(Rng *rng, int32_t *items, size_t count); // Fisher-Yates
