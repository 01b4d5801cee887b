#include <criterion/criterion.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/graph/layout.h"

static bool lives_at(const LayoutBuffer *buffer, int time) {
    return buffer->begin <= time && time <= buffer->end &&
           !(buffer->leave < time && time < buffer->back);
}

static bool places_meet(const LayoutBuffer *a, const LayoutBuffer *b) {
    return a->ret_offset < b->ret_offset + b->bytes && b->ret_offset < a->ret_offset + a->bytes;
}

// The most bytes that live at one time: no arena can be smaller.
static size_t peak(const LayoutBuffer *buffers, size_t count, int times) {
    size_t most = 0;
    for (int time = 0; time < times; time++) {
        size_t bytes = 0;
        for (size_t i = 0; i < count; i++)
            if (lives_at(&buffers[i], time))
                bytes += buffers[i].bytes;
        most = bytes > most ? bytes : most;
    }
    return most;
}

Test(layout, never_lets_living_buffers_overlap) {
    enum { COUNT = 120, TIMES = 80, ALL = 2 * TIMES };
    for (uint64_t seed = 0; seed < 50; seed++) {
        LayoutBuffer buffers[COUNT];
        Rng rng = rng_make(seed, RNG_PROBE, 0, 0);
        for (size_t i = 0; i < COUNT; i++) {
            int begin = (int)rng_below(&rng, TIMES);
            buffers[i] = (LayoutBuffer){.bytes = rng_below(&rng, 5000),
                                        .begin = begin,
                                        .end = begin + (int)rng_below(&rng, TIMES / 4)};
            if (seed % 2 == 1 && i % 4 == 0) { // goes, and comes back
                buffers[i].leave = buffers[i].end;
                buffers[i].back = buffers[i].end + (int)rng_below(&rng, TIMES / 2);
                buffers[i].end = buffers[i].back + 2;
            }
        }
        size_t bytes;
        cr_assert_eq(layout_place(buffers, COUNT, &bytes), OK);
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert(buffers[i].ret_offset + buffers[i].bytes <= bytes);
            cr_assert_eq(buffers[i].ret_offset % LAYOUT_ALIGNMENT, 0);
            for (size_t j = 0; j < i; j++)
                for (int time = 0; time < ALL && places_meet(&buffers[i], &buffers[j]); time++)
                    cr_assert(!lives_at(&buffers[i], time) || !lives_at(&buffers[j], time));
        }
        size_t bound = peak(buffers, COUNT, ALL);
        cr_expect(bytes >= bound && bytes <= bound + bound / 4, "%zu bytes for a peak of %zu",
                  bytes, bound);
    }
}

Test(layout, shares_memory_between_lives_that_do_not_meet) {
    LayoutBuffer buffers[] = {{.bytes = 1000, .begin = 0, .end = 1},
                              {.bytes = 1000, .begin = 2, .end = 3},
                              {.bytes = 64, .begin = 1, .end = 2}};
    size_t bytes;
    cr_assert_eq(layout_place(buffers, 3, &bytes), OK);
    cr_expect_eq(bytes, 1024 + 64);
    cr_expect_eq(buffers[0].ret_offset, buffers[1].ret_offset);
}

Test(layout, refuses_what_overflows) {
    LayoutBuffer buffers[] = {{.bytes = SIZE_MAX / 2, .end = 1},
                              {.bytes = SIZE_MAX / 2 + 2, .end = 1}};
    size_t bytes = 5;
    cr_expect_eq(layout_place(buffers, 2, &bytes), ERR_TOO_LARGE);
    buffers[1].bytes = SIZE_MAX;
    cr_expect_eq(layout_place(buffers, 2, &bytes), ERR_TOO_LARGE);
    cr_expect_eq(bytes, 5);
}
