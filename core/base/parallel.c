// A pool of sleeping threads. Piece i of a loop always runs on thread i (0 is the caller), so that
// neither the arithmetic nor the memory a thread touches depends on who was faster.
//
//   caller:  write the loop · raise `round`, wake all · run piece 0 · wait until `running` is 0
//   thread:  wait for a new `round` · run its piece, if the loop has one · lower `running`
//
// Both waits look at their atomic for some microseconds before they sleep: the loops of one
// training step follow each other faster than a thread wakes. `mutex` guards the sleeping alone;
// the loop's fields are written while no thread runs and published by `round`.
#include "core/base/parallel.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { SPINS = 2000 };

typedef struct Worker {
    Parallel *parallel;
    pthread_t thread;
    int piece;
} Worker;

struct Parallel {
    int threads;     // the caller included
    Worker *workers; // [threads − 1], of which the first `started` live
    int started;
    pthread_mutex_t mutex;
    pthread_cond_t woken, finished;
    atomic_uint round;
    atomic_int running;
    bool closing;

    void (*body)(void *context, size_t begin, size_t end, int piece);
    void *context;
    size_t count;
    int pieces;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void run_piece(const Parallel *parallel, int piece) {
    size_t base = parallel->count / (size_t)parallel->pieces;
    size_t rest =
        parallel->count % (size_t)parallel->pieces; // the first `rest` pieces have one more
    size_t index = (size_t)piece;
    size_t begin = index * base + (index < rest ? index : rest);
    parallel->body(parallel->context, begin, begin + base + (index < rest ? 1 : 0), piece);
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
        if (worker->piece < parallel->pieces) {
            run_piece(parallel, worker->piece);
        }
        if (atomic_fetch_sub_explicit(&parallel->running, 1, memory_order_acq_rel) == 1) {
            // Under the mutex, or the caller could miss it between its look and its sleep.
            pthread_mutex_lock(&parallel->mutex);
            pthread_cond_signal(&parallel->finished);
            pthread_mutex_unlock(&parallel->mutex);
        }
    }
}

static void start_round(Parallel *parallel) {
    pthread_mutex_lock(&parallel->mutex);
    atomic_fetch_add_explicit(&parallel->round, 1, memory_order_release);
    pthread_cond_broadcast(&parallel->woken);
    pthread_mutex_unlock(&parallel->mutex);
}

int parallel_create(int threads, Parallel **ret_parallel) {
    if (threads < 1) {
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
    if (parallel->workers == NULL) {
        parallel_destroy(parallel);
        return ERR_NO_MEMORY;
    }
    for (int i = 0; i < threads - 1; i++) {
        parallel->workers[i] = (Worker){.parallel = parallel, .piece = i + 1};
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
    memory_free(parallel);
}

int parallel_threads(const Parallel *parallel) {
    return parallel != NULL ? parallel->threads : 1;
}

void parallel_for(Parallel *parallel, size_t count, size_t grain,
                  void (*body)(void *context, size_t begin, size_t end, int piece), void *context) {
    if (count == 0) {
        return;
    }
    size_t pieces = count / (grain > 0 ? grain : 1);
    if (parallel == NULL || parallel->threads == 1 || pieces <= 1) {
        body(context, 0, count, 0);
        return;
    }
    parallel->body = body;
    parallel->context = context;
    parallel->count = count;
    parallel->pieces = pieces < (size_t)parallel->threads ? (int)pieces : parallel->threads;
    atomic_store_explicit(&parallel->running, parallel->threads - 1, memory_order_relaxed);
    start_round(parallel);
    run_piece(parallel, 0);
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&parallel->running, memory_order_acquire) == 0) {
            return;
        }
        relax();
    }
    pthread_mutex_lock(&parallel->mutex);
    while (atomic_load_explicit(&parallel->running, memory_order_acquire) > 0) {
        pthread_cond_wait(&parallel->finished, &parallel->mutex);
    }
    pthread_mutex_unlock(&parallel->mutex);
}
