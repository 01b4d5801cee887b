// The frame of an optimizer's step: one pass over the weights in blocks that stay in the nearest
// cache. In a block the entry's own loop updates the weights and leaves Δw; then the sums of
// squares are taken while both are still near (squares.h), in one order always, so that they
// repeat exactly. Parts of the weights run on the call's threads.
#pragma once
#include "core/base/vector.h"
#include "core/optimizers/optimizers.h"
#include "core/optimizers/squares.h"

// Weights of a block; of a part, which is worth waking a thread for.
enum { STEP_BLOCK = SQUARES_BLOCK, STEP_PART = 1 << 12, STEP_PARTS_MAX = 64 };

#define STEP_INLINE __attribute__((always_inline)) static inline

// The gradient after both clippings. A NaN passes through them.
static inline Real step_gradient(Real gradient, Real scale, Real bound) {
    gradient *= scale;
    gradient = gradient > bound ? bound : gradient;
    return gradient < -bound ? -bound : gradient;
}

static inline Real step_root(Real x) {
#ifdef BACKPROPD_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

// What the parts of a step share. A part's sums are its own and are added in the parts' order, so
// that they are the same on any number of threads.
typedef struct StepWork {
    const OptimizerCall *call;
    const void *factors; // what the entry works out once a step; NULL where it needs nothing
    size_t parts;
    OptimizerSums sums[STEP_PARTS_MAX];
} StepWork;

// Weights before part `part`, in whole blocks; of part `parts`: all.
static inline size_t step_part_begin(const StepWork *work, size_t part) {
    size_t blocks = (work->call->count + STEP_BLOCK - 1) / STEP_BLOCK;
    size_t begin = blocks * part / work->parts * STEP_BLOCK;
    return begin < work->call->count ? begin : work->call->count;
}

// The parts [begin, end). update(work, begin, count, delta) steps weights begin … begin + count − 1
// and writes their changes. Inline, so that an entry's VECTOR_LOOPS has all of it as vector code.
STEP_INLINE void step_parts(StepWork *work, size_t begin, size_t end,
                            void (*update)(const StepWork *work, size_t begin, size_t count,
                                           Real *delta)) {
    Real delta[STEP_BLOCK];
    for (size_t part = begin; part < end; part++) {
        size_t last = step_part_begin(work, part + 1);
        OptimizerSums sums = {0};
        for (size_t at = step_part_begin(work, part); at < last; at += STEP_BLOCK) {
            size_t count = last - at < STEP_BLOCK ? last - at : STEP_BLOCK;
            update(work, at, count, delta);
            sums.update_squares += squares_of_block(delta, count);
            sums.weight_squares += squares_of_block(work->call->weights + at, count);
        }
        work->sums[part] = sums;
    }
}

// The whole step: `parts` is the entry's loop over its parts, its context a StepWork.
static inline OptimizerSums step_run(const OptimizerCall *call, const void *factors,
                                     void (*parts)(void *context, size_t begin, size_t end,
                                                   int thread)) {
    StepWork work = {.call = call, .factors = factors};
    size_t count = call->count / STEP_PART;
    work.parts = count < 1 ? 1 : count < STEP_PARTS_MAX ? count : STEP_PARTS_MAX;
    parallel_for(call->parallel, work.parts, 1, parts, &work);
    OptimizerSums sums = {0};
    for (size_t part = 0; part < work.parts; part++) {
        sums.update_squares += work.sums[part].update_squares;
        sums.weight_squares += work.sums[part].weight_squares;
    }
    return sums;
}
