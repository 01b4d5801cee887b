// Sums that run in lanes of Real, side by side, and become vector registers where their function's loops do (vector.h).
#pragma once
#include <stddef.h>
#include "core/base/real.h"

enum { REAL_LANES = 32 };

// Of all lanes, pairwise. Every loop has a fixed end, so that nothing of it goes through memory.
__attribute__((always_inline)) static inline Real lanes_sum(const Real lane[REAL_LANES]) {
    Real half[REAL_LANES / 2], quarter[REAL_LANES / 4];
    for (size_t j = 0; j < REAL_LANES / 2; j++)
        half[j] = lane[j] + lane[j + REAL_LANES / 2];
    for (size_t j = 0; j < REAL_LANES / 4; j++)
        quarter[j] = half[j] + half[j + REAL_LANES / 4];
    return ((quarter[0] + quarter[4]) + (quarter[2] + quarter[6])) +
           ((quarter[1] + quarter[5]) + (quarter[3] + quarter[7]));
}
