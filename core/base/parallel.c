// A pool of sleeping threads. A loop is cut into chunks; each thread has its own stretch of them, so that it finds in its
// caches what it left there a loop ago, and takes of the others' when it is through: a thread that lost its core to another
// program holds up one chunk, not its stretch.
//
//   caller:  write the loop · hand out the stretches · raise `round`, wake all · take chunks · wait until all are `done`
//   thread:  wait for a new `round` · take chunks until none is left
//
// Both waits look at their atomic for some microseconds before they sleep: the loops of one training step follow each other
// faster than a thread wakes. `mutex` guards the sleeping alone. Who has taken a chunk may read the loop, which stays until the
// chunk is done; the caller waits for nobody else, and a thread that comes late takes of the next loop's chunks.
#include "core/base/parallel.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"

// A stretch is cut into at most CHUNKS, of LONG grains or more: some hundreds of microseconds, beside which the cut costs
// nothing. With a pause that is wanted a loop runs in PIECES.
enum { SPINS = 2000, CHUNKS = 4, LONG = 32, PIECES = 16, LINE = 64, NUMBER_BITS = 16 };

typedef struct Worker {
    Parallel *parallel;
    pthread_t thread;
    int number; // 0 is the caller
} Worker;

// The chunks left of a thread's: the number of the next, the end, and below how many chunks its loop has in all, in one word,
// so that who takes one knows what it takes.
typedef struct Stretch {
    _Alignas(LINE) atomic_uint_fast64_t left;
} Stretch;

struct Parallel {
    int threads;        // the caller included
    Worker *workers;    // [threads − 1], of which the first `started` live
    Stretch *stretches; // [threads]
    int started;
    pthread_mutex_t mutex;
    pthread_cond_t woken, finished;
    atomic_uint round;
    atomic_size_t done; // chunks
    bool closing;

    bool (*pause)(void *context); // NULL: none
    void *pause_context;

    void (*body)(void *context, size_t begin, size_t end, int thread);
    void *context;
    size_t count, chunks;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

// The first of `count` things for part `part` of `parts`; the first parts have one more where it does not come out even.
static size_t part_begin(size_t count, size_t part, size_t parts) {
    size_t rest = count % parts;
    return count / parts * part + (part < rest ? part : rest);
}

static uint64_t stretch_word(size_t next, size_t end, size_t chunks) {
    return (uint64_t)next << 2 * NUMBER_BITS | (uint64_t)end << NUMBER_BITS | chunks;
}

// Takes the next chunk of a stretch; false: none is left, or the loop has fewer chunks than `thread`: bodies have memory for no
// more threads than chunks, and a thread that is late with one loop may look at the next.
static bool take_chunk(Stretch *stretch, int thread, size_t *ret_chunk) {
    const uint64_t mask = ((uint64_t)1 << NUMBER_BITS) - 1;
    uint_fast64_t left = atomic_load_explicit(&stretch->left, memory_order_acquire);
    for (;;) {
        size_t next = left >> 2 * NUMBER_BITS, end = left >> NUMBER_BITS & mask;
        if (next >= end || (size_t)thread >= (left & mask))
            return false;
        if (atomic_compare_exchange_weak_explicit(&stretch->left, &left,
                                                  left + stretch_word(1, 0, 0),
                                                  memory_order_acq_rel, memory_order_acquire)) {
            *ret_chunk = next;
            return true;
        }
    }
}

static void run_chunk(Parallel *parallel, size_t chunk, int thread) {
    size_t count = parallel->count, chunks = parallel->chunks;
    parallel->body(parallel->context, part_begin(count, chunk, chunks),
                   part_begin(count, chunk + 1, chunks), thread);
    if (atomic_fetch_add_explicit(&parallel->done, 1, memory_order_acq_rel) + 1 == chunks) {
        // Under the mutex, or the caller could miss it between its look and its sleep.
        pthread_mutex_lock(&parallel->mutex);
        pthread_cond_signal(&parallel->finished);
        pthread_mutex_unlock(&parallel->mutex);
    }
}

static void run_chunks(Parallel *parallel, int thread) {
    size_t chunk;
    for (int i = 0; i < parallel->threads; i++)
        while (take_chunk(&parallel->stretches[(thread + i) % parallel->threads], thread, &chunk))
            run_chunk(parallel, chunk, thread);
}

static unsigned await_round(Parallel *parallel, unsigned seen) {
    unsigned round = atomic_load_explicit(&parallel->round, memory_order_acquire);
    for (int i = 0; i < SPINS && round == seen; i++) {
        relax();
        round = atomic_load_explicit(&parallel->round, memory_order_acquire);
    }
    if (round == seen) {
        pthread_mutex_lock(&parallel->mutex);
        while ((round = atomic_load_explicit(&parallel->round, memory_order_acquire)) == seen) {
            pthread_cond_wait(&parallel->woken, &parallel->mutex);
        }
        pthread_mutex_unlock(&parallel->mutex);
    }
    return round;
}

static void *worker_main(void *argument) {
    Worker *worker = argument;
    Parallel *parallel = worker->parallel;
    unsigned round = 0;
    for (;;) {
        round = await_round(parallel, round);
        if (parallel->closing) {
            return NULL;
        }
        run_chunks(parallel, worker->number);
    }
}

static void start_round(Parallel *parallel) {
    pthread_mutex_lock(&parallel->mutex);
    atomic_fetch_add_explicit(&parallel->round, 1, memory_order_release);
    pthread_cond_broadcast(&parallel->woken);
    pthread_mutex_unlock(&parallel->mutex);
}

int parallel_create(int threads, Parallel **ret_parallel) {
    if (threads < 1 || threads >= 1 << (NUMBER_BITS - 2)) {
        return ERR_INVALID;
    }
    Parallel *parallel = memory_new(Parallel);
    if (parallel == NULL) {
        return ERR_NO_MEMORY;
    }
    parallel->threads = threads;
    pthread_mutex_init(&parallel->mutex, NULL);
    pthread_cond_init(&parallel->woken, NULL);
    pthread_cond_init(&parallel->finished, NULL);
    parallel->workers = memory_array((size_t)threads - 1, sizeof(Worker));
    parallel->stretches = memory_array((size_t)threads, sizeof(Stretch));
    if (parallel->workers == NULL || parallel->stretches == NULL) {
        parallel_destroy(parallel);
        return ERR_NO_MEMORY;
    }
    for (int i = 0; i < threads - 1; i++) {
        parallel->workers[i] = (Worker){.parallel = parallel, .number = i + 1};
        Worker *worker = &parallel->workers[i];
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
            parallel_destroy(parallel);
            return ERR_UNAVAILABLE;
        }
        parallel->started++;
    }
    *ret_parallel = parallel;
    return OK;
}

void parallel_destroy(Parallel *parallel) {
    if (parallel == NULL) {
        return;
    }
    if (parallel->started > 0) {
        parallel->closing = true;
        start_round(parallel);
        for (int i = 0; i < parallel->started; i++) {
            pthread_join(parallel->workers[i].thread, NULL);
        }
    }
    pthread_cond_destroy(&parallel->finished);
    pthread_cond_destroy(&parallel->woken);
    pthread_mutex_destroy(&parallel->mutex);
    memory_free(parallel->workers);
    memory_free(parallel->stretches);
    memory_free(parallel);
}

void parallel_set_pause(Parallel *parallel, bool (*pause)(void *context), void *context) {
    parallel->pause = pause;
    parallel->pause_context = context;
}

// Pauses where somebody wants it; whether somebody still does.
static bool give_way(Parallel *parallel) {
    return parallel != NULL && parallel->pause != NULL && parallel->pause(parallel->pause_context);
}

int parallel_threads(const Parallel *parallel) {
    return parallel != NULL ? parallel->threads : 1;
}

int parallel_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) // fails beyond 1,024
        return CPU_COUNT(&set);
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

void parallel_for(Parallel *parallel, size_t count, size_t grain,
                  void (*body)(void *context, size_t begin, size_t end, int thread),
                  void *context) {
    if (count == 0) {
        return;
    }
    size_t chunks = count / (grain > 0 ? grain : 1);
    bool wanted = give_way(parallel);
    if (parallel == NULL || parallel->threads == 1 || chunks <= 1) {
        size_t pieces = !wanted || chunks <= 1 ? 1 : chunks < PIECES ? chunks : PIECES;
        for (size_t i = 0; i < pieces; i++) {
            if (i > 0)
                give_way(parallel);
            body(context, part_begin(count, i, pieces), part_begin(count, i + 1, pieces), 0);
        }
        return;
    }
    size_t threads = (size_t)parallel->threads, each = chunks / threads;
    if (each > 0)
        chunks = threads * (each < 2 * LONG ? 1 : each < CHUNKS * LONG ? each / LONG : CHUNKS);
    parallel->body = body;
    parallel->context = context;
    parallel->count = count;
    parallel->chunks = chunks;
    atomic_store_explicit(&parallel->done, 0, memory_order_relaxed);
    for (size_t i = 0; i < threads; i++)
        atomic_store_explicit(&parallel->stretches[i].left,
                              stretch_word(part_begin(chunks, i, threads),
                                           part_begin(chunks, i + 1, threads), chunks),
                              memory_order_release);
    start_round(parallel);
    run_chunks(parallel, 0);
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&parallel->done, memory_order_acquire) == chunks) {
            return;
        }
        relax();
    }
    pthread_mutex_lock(&parallel->mutex);
    while (atomic_load_explicit(&parallel->done, memory_order_acquire) < chunks) {
        pthread_cond_wait(&parallel->finished, &parallel->mutex);
    }
    pthread_mutex_unlock(&parallel->mutex);
}
