// Which token comes next, by what a language model makes of each:
//
//   p_i ∝ exp(logit_i / temperature), over the top_k likeliest        (Fan, Lewis & Dauphin 2018, section 5.4)
//
// At temperature 0 it is the likeliest, of several alike the one with the lowest id.
#pragma once
#include <stdint.h>
#include "core/base/real.h"

typedef struct Sampling {
    double temperature; // ≥ 0
    int64_t top_k;      // 0: all
    uint64_t seed;
} Sampling;

// Draws one of the ids first … count − 1. The draw is keyed by the seed and by `place`, the token's in the text that is made:
// so it depends on nothing that was drawn before. logits [count]; work [count] is for the call's use. ERR_INVALID: a logit is
// no number, or there is no id to choose.
int sampling_draw(const Sampling *sampling, const Real *logits, int64_t first, int64_t count,
                  uint64_t place, Real *work, int32_t *ret_token);
// Draws one of them evenly, to begin with.
int32_t sampling_draw_first(const Sampling *sampling, int64_t first, int64_t count);
