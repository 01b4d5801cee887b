// Parallel loops cover every item once, in pieces that depend on nothing but count, grain and
// threads.
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/parallel.h"

enum { COUNT_MAX = 1000 };

typedef struct Seen {
    atomic_int visits[COUNT_MAX];
    atomic_int pieces;
    size_t begin[16], end[16];
} Seen;

static void visit(void *context, size_t begin, size_t end, int piece) {
    Seen *seen = context;
    atomic_fetch_add(&seen->pieces, 1);
    seen->begin[piece] = begin;
    seen->end[piece] = end;
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
            parallel_for(parallel, count, 3, visit, &seen);
            for (size_t i = 0; i < COUNT_MAX; i++) {
                cr_assert_eq(seen.visits[i], i < count ? 1 : 0);
            }
            int pieces = count == 0 ? 0 : count / 3 < 2 ? 1 : (int)(count / 3);
            cr_assert_eq(seen.pieces, pieces < threads ? pieces : threads);
            for (int i = 0; i < seen.pieces && seen.pieces > 1; i++) {
                cr_assert_geq(seen.end[i] - seen.begin[i], 3);
            }
        }
        parallel_destroy(parallel);
    }
}

Test(parallel, null_runs_one_piece) {
    static Seen seen;
    parallel_for(NULL, 10, 1, visit, &seen);
    cr_assert_eq(seen.pieces, 1);
    cr_assert_eq(seen.end[0], 10);
    cr_assert_eq(parallel_threads(NULL), 1);
    parallel_destroy(NULL);
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
