// Sums of squares for update ratios and weight norms, which are for looking at; in one order always, so that they repeat exactly.
#pragma once
#include <math.h>
#include <stddef.h>
#include "core/base/lanes.h"

// At most so many numbers are added in Real, in lanes; sums of blocks are added in double.
enum { SQUARES_BLOCK = 512 };

// Of 1 to SQUARES_BLOCK numbers, to some REAL_EPSILON of the sum: in Real, and in double where that is too narrow for the
// squares. Inline, so that it becomes vector code where the caller does (vector.h). The lanes begin with numbers, since GCC
// fills them with zeros by a slow string instruction.
__attribute__((always_inline)) static inline double squares_of_block(const Real *x, size_t n) {
    if (n >= REAL_LANES) {
        Real lane[REAL_LANES];
        size_t whole = n - n % REAL_LANES;
        for (size_t j = 0; j < REAL_LANES; j++)
            lane[j] = x[j] * x[j];
        for (size_t i = REAL_LANES; i < whole; i += REAL_LANES)
            for (size_t j = 0; j < REAL_LANES; j++)
                lane[j] += x[i + j] * x[i + j];
        for (size_t i = whole; i < n; i++)
            lane[i - whole] += x[i] * x[i];
        Real sum = lanes_sum(lane);
        if (sum > (Real)(REAL_MINIMUM / REAL_EPSILON) && sum < (Real)INFINITY)
            return (double)sum;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}
