// Parallel loops cover every item once, in chunks of at least the grain, and wait for no thread that has none.
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/parallel.h"

enum { COUNT_MAX = 1000 };

typedef struct Seen {
    atomic_int visits[COUNT_MAX];
    atomic_int chunks, short_chunks, greatest; // the greatest number of a thread
} Seen;

enum { GRAIN = 3 };

static void visit(void *context, size_t begin, size_t end, int thread) {
    Seen *seen = context;
    atomic_fetch_add(&seen->chunks, 1);
    atomic_fetch_add(&seen->short_chunks, end - begin < GRAIN);
    int greatest = atomic_load(&seen->greatest);
    while (thread > greatest && !atomic_compare_exchange_weak(&seen->greatest, &greatest, thread))
        ;
    for (size_t i = begin; i < end; i++) {
        atomic_fetch_add(&seen->visits[i], 1);
    }
}

Test(parallel, covers_each_item_once) {
    for (int threads = 1; threads <= 5; threads++) {
        Parallel *parallel;
        cr_assert_eq(parallel_create(threads, &parallel), OK);
        cr_assert_eq(parallel_threads(parallel), threads);
        for (size_t count = 0; count <= COUNT_MAX; count += count < 20 ? 1 : 245) {
            static Seen seen;
            memset(&seen, 0, sizeof(seen));
            parallel_for(parallel, count, GRAIN, visit, &seen);
            for (size_t i = 0; i < COUNT_MAX; i++) {
                cr_assert_eq(seen.visits[i], i < count ? 1 : 0);
            }
            cr_assert_lt(seen.greatest, threads);
            if (count < 2 * GRAIN || threads == 1) {
                cr_assert_eq(seen.chunks, count > 0);
            } else {
                cr_assert_eq(seen.short_chunks, 0);
                cr_assert_geq(seen.chunks, (int)count / GRAIN < threads ? 2 : threads);
            }
        }
        parallel_destroy(parallel);
    }
}

// Also where a thread is late with the loop before, which has more chunks.
Test(parallel, numbers_of_threads_are_below_the_number_of_chunks) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(8, &parallel), OK);
    for (int round = 0; round < 5000; round++) {
        Seen wide = {0}, narrow = {0};
        parallel_for(parallel, 24, GRAIN, visit, &wide);
        parallel_for(parallel, 6, GRAIN, visit, &narrow);
        cr_assert_lt(wide.greatest, wide.chunks);
        cr_assert_lt(narrow.greatest, narrow.chunks);
    }
    parallel_destroy(parallel);
}

typedef struct Held {
    atomic_int begun, done;
} Held;

// The first chunk that begins lasts until all others are done.
static void hold(void *context, size_t begin, size_t end, int thread) {
    (void)begin;
    (void)end;
    (void)thread;
    Held *held = context;
    if (atomic_fetch_add(&held->begun, 1) == 0)
        while (atomic_load(&held->done) < 7)
            sched_yield();
    atomic_fetch_add(&held->done, 1);
}

Test(parallel, takes_the_chunks_of_a_thread_that_is_held_up, .timeout = 30) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(2, &parallel), OK);
    for (int round = 0; round < 100; round++) {
        Held held = {0};
        parallel_for(parallel, 1024, 1, hold, &held); // long: four chunks for each thread
        cr_assert_eq(held.done, 8);
    }
    parallel_destroy(parallel);
}

Test(parallel, null_runs_one_chunk) {
    static Seen seen;
    parallel_for(NULL, 10, 1, visit, &seen);
    cr_assert_eq(seen.chunks, 1);
    cr_assert_eq(seen.visits[9], 1);
    cr_assert_eq(parallel_threads(NULL), 1);
    parallel_destroy(NULL);
}

typedef struct Guest {
    bool wants;
    int asked;
} Guest;

static bool pause_for(void *context) {
    Guest *guest = context;
    guest->asked++;
    return guest->wants;
}

Test(parallel, runs_in_pieces_while_a_pause_is_wanted) {
    for (int threads = 1; threads <= 2; threads++) {
        Parallel *parallel;
        Guest guest = {.wants = false};
        Seen calm = {0}, disturbed = {0}, small = {0};
        cr_assert_eq(parallel_create(threads, &parallel), OK);
        parallel_set_pause(parallel, pause_for, &guest);
        parallel_for(parallel, 100, GRAIN, visit, &calm);
        cr_assert_eq(guest.asked, 1, "before each loop");
        guest.wants = true;
        parallel_for(parallel, 100, GRAIN, visit, &disturbed);
        parallel_for(parallel, GRAIN, GRAIN, visit, &small);
        for (size_t i = 0; i < 100; i++)
            cr_assert(calm.visits[i] == 1 && disturbed.visits[i] == 1, "item %zu", i);
        cr_assert_eq(small.chunks, 1, "no piece is smaller than the grain");
        if (threads == 1) {
            cr_assert_eq(calm.chunks, 1);
            cr_assert_gt(disturbed.chunks, 1);
            cr_assert_eq(guest.asked, 1 + disturbed.chunks + 1, "and between the pieces");
        }
        parallel_set_pause(parallel, NULL, NULL);
        parallel_for(parallel, 100, GRAIN, visit, &calm);
        cr_assert_eq(guest.asked, 1 + (threads == 1 ? disturbed.chunks : 1) + 1);
        parallel_destroy(parallel);
    }
}

Test(parallel, runs_many_loops_in_a_row) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    static Seen seen;
    for (int round = 0; round < 20000; round++) {
        parallel_for(parallel, 30, 1, visit, &seen);
    }
    for (size_t i = 0; i < 30; i++) {
        cr_assert_eq(seen.visits[i], 20000);
    }
    parallel_destroy(parallel);
}

Test(parallel, needs_a_thread) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(0, &parallel), ERR_INVALID);
}
