// Parallel loops over a fixed number of threads. The pieces depend on the count and the number of
// threads alone, so that the same job with the same number of threads does the same arithmetic.
#pragma once
#include <stddef.h>

typedef struct Parallel Parallel;

// threads ≥ 1; 1 starts none. Threads sleep between loops (no unbounded spinning).
int parallel_create(int threads, Parallel **ret_parallel);
void parallel_destroy(Parallel *parallel);      // takes NULL
int parallel_threads(const Parallel *parallel); // 1 for NULL

// Runs body(context, begin, end, piece) over pieces that cover [0, count); each has at least
// `grain` items. Returns when all are done. A NULL parallel runs it as one piece. Not reentrant.
void parallel_for(Parallel *parallel, size_t count, size_t grain,
                  void (*body)(void *context, size_t begin, size_t end, int piece), void *context);

// The `grain` of a loop whose items take about `work` simple operations each: a piece is then worth
// waking a thread for (some microseconds).
static inline size_t parallel_grain(size_t work) {
    const size_t piece = (size_t)1 << 15;
    return work == 0 || work >= piece ? 1 : piece / work;
}
