// Sums of squares for update ratios and weight norms, which are for looking at; in one order always, so that they repeat exactly.
#pragma once
#include <math.h>
#include <stddef.h>
#include "core/base/real.h"

// At most so many numbers are added in Real, in lanes; sums of blocks are added in double.
enum { SQUARES_BLOCK = 512, SQUARES_LANES = 32 };

// Of 1 to SQUARES_BLOCK numbers, to some REAL_EPSILON of the sum: in Real, and in double where that is too narrow for the
// squares. Inline, so that it becomes vector code where the caller does (vector.h). The lanes begin with numbers, since GCC
// fills them with zeros by a slow string instruction.
__attribute__((always_inline)) static inline double squares_of_block(const Real *x, size_t n) {
    if (n >= SQUARES_LANES) {
        Real lane[SQUARES_LANES];
        size_t whole = n - n % SQUARES_LANES;
        for (size_t j = 0; j < SQUARES_LANES; j++)
            lane[j] = x[j] * x[j];
        for (size_t i = SQUARES_LANES; i < whole; i += SQUARES_LANES)
            for (size_t j = 0; j < SQUARES_LANES; j++)
                lane[j] += x[i + j] * x[i + j];
        for (size_t i = whole; i < n; i++)
            lane[i - whole] += x[i] * x[i];
        for (size_t half = SQUARES_LANES / 2; half > 0; half /= 2)
            for (size_t j = 0; j < half; j++)
                lane[j] += lane[j + half];
        if (lane[0] > (Real)(REAL_MINIMUM / REAL_EPSILON) && lane[0] < (Real)INFINITY)
            return (double)lane[0];
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}
