// Parallel loops over a fixed number of threads. Which thread runs which part of a loop depends on who is free, so a body
// must do the same arithmetic however its range is cut: then a job trains to the same bits on any number of threads.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Parallel Parallel;

// threads: 1 to 16383; 1 starts none. Threads sleep between loops (no unbounded spinning).
int parallel_create(int threads, Parallel **ret_parallel);
void parallel_destroy(Parallel *parallel);      // takes NULL
int parallel_threads(const Parallel *parallel); // 1 for NULL
int parallel_cores(void);                       // that this process may run on

// Somebody else may want the processors: `pause` is called by the loops' caller before each loop, may sleep, and says whether
// somebody still does. Then a loop on one thread runs in pieces, and `pause` is called between them, too. NULL: nobody does.
void parallel_set_pause(Parallel *parallel, bool (*pause)(void *context), void *context);

// Runs body(context, begin, end, thread) over chunks that cover [0, count), each of at least `grain` items. A thread may run
// several; `thread`, below parallel_threads and below the number of chunks, is for memory of its own. Returns when all are done. A NULL parallel runs it
// as one chunk. Not reentrant.
void parallel_for(Parallel *parallel, size_t count, size_t grain,
                  void (*body)(void *context, size_t begin, size_t end, int thread), void *context);

// The `grain` of a loop whose items take about `work` simple operations each: a chunk is then worth
// waking a thread for (some microseconds).
static inline size_t parallel_grain(size_t work) {
    const size_t chunk = (size_t)1 << 15;
    return work == 0 || work >= chunk ? 1 : chunk / work;
}

// The `grain` of a loop whose chunks have a cost of their own: no more chunks than threads.
static inline size_t parallel_share(const Parallel *parallel, size_t count) {
    size_t share = count / (size_t)parallel_threads(parallel);
    return share > 1 ? share : 1;
}

// A loop that keeps a result of each part has no more than so many, whatever the threads: the results have their place on
// the stack and are added in the same order always.
enum { PARALLEL_PARTS = 64 };

// The items of such a part, at least `least`.
static inline size_t parallel_part(size_t count, size_t least) {
    size_t part = (count + PARALLEL_PARTS - 1) / PARALLEL_PARTS;
    return part > least ? part : least;
}
