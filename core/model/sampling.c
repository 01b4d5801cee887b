// Sampling in passes over the logits; only the bound of the top_k is searched for, by quickselect.
#include "core/model/sampling.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"

enum { DRAW, DRAW_FIRST }; // the last word of a key

// The k-th greatest of values [count], which are put in another order; 1 ≤ k ≤ count, no NaN (Hoare 1961).
static Real kth_greatest(Real *values, int64_t count, int64_t k) {
    int64_t begin = 0, end = count - 1, at = k - 1;
    while (begin < end) {
        Real pivot = values[begin + (end - begin) / 2];
        int64_t i = begin, j = end;
        while (i <= j) {
            while (values[i] > pivot)
                i++;
            while (values[j] < pivot)
                j--;
            if (i <= j) {
                Real value = values[i];
                values[i++] = values[j];
                values[j--] = value;
            }
        }
        if (at <= j)
            end = j;
        else if (at >= i)
            begin = i;
        else
            break;
    }
    return values[at];
}

// Where the greatest is, the first of several; −1 where one is no number.
static int64_t find_greatest(const Real *logits, int64_t first, int64_t count) {
    int64_t best = first;
    for (int64_t i = first; i < count; i++) {
        if (isnan(logits[i]))
            return -1;
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}

// Which of those that equal the bound are still among the top_k: the so many first ones.
static int64_t room_at(Real bound, const Real *logits, int64_t first, int64_t count, int64_t top) {
    int64_t above = 0;
    for (int64_t i = first; i < count; i++)
        above += logits[i] > bound;
    return top - above;
}

int sampling_draw(const Sampling *sampling, const Real *logits, int64_t first, int64_t count,
                  uint64_t place, Real *work, int32_t *ret_token) {
    int64_t all = count - first, best = all > 0 ? find_greatest(logits, first, count) : -1;
    if (best < 0)
        return ERR_INVALID;
    *ret_token = (int32_t)best;
    if (sampling->temperature == 0)
        return OK;
    int64_t top = sampling->top_k > 0 && sampling->top_k < all ? sampling->top_k : all;
    Real bound = (Real)-INFINITY;
    int64_t room = all;
    if (top < all) {
        memcpy(work, logits + first, (size_t)all * sizeof(Real));
        bound = kth_greatest(work, all, top);
        room = room_at(bound, logits, first, count, top);
    }
    double sum = 0;
    for (int64_t i = first; i < count; i++) {
        bool taken = logits[i] > bound || (logits[i] == bound && room-- > 0);
        // Beside the greatest nothing overflows, and an infinite one leaves no others.
        work[i] = !taken ? 0
                  : logits[i] == logits[best]
                      ? 1
                      : (Real)exp((double)(logits[i] - logits[best]) / sampling->temperature);
        sum += (double)work[i];
    }
    Rng rng = rng_make(sampling->seed, RNG_GENERATE, place, DRAW);
    double left = rng_uniform(&rng) * sum;
    for (int64_t i = first; i < count; i++) {
        if (work[i] == 0)
            continue;
        *ret_token = (int32_t)i; // the last one, should rounding leave something
        left -= (double)work[i];
        if (left < 0)
            break;
    }
    return OK;
}

int32_t sampling_draw_first(const Sampling *sampling, int64_t first, int64_t count) {
    Rng rng = rng_make(sampling->seed, RNG_GENERATE, 0, DRAW_FIRST);
    return (int32_t)(first + (int64_t)rng_below(&rng, (uint64_t)(count - first)));
}
