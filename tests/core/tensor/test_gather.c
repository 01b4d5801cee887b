#include "core/tensor/gather.h"
#include <criterion/criterion.h>
#include <math.h>
#include "core/base/rng.h"

enum { ROWS = 9, X_ROWS = 21, WIDTH_MAX = 40, ENTRIES = ROWS * (ROWS - 1) / 2 };

static Real x[X_ROWS * WIDTH_MAX], y[ROWS * WIDTH_MAX + 1], weight[ENTRIES], own[ROWS],
    bias[WIDTH_MAX];
static int32_t first[ROWS + 1], from[ENTRIES], place[ENTRIES];

static void draw(Real *values, size_t count, uint64_t key) {
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (Real)rng_normal(&rng);
}

// Row v has v entries, so that there are none, odd and even numbers of them; the last rows of x are among those taken.
static void set_up(void) {
    draw(x, X_ROWS * WIDTH_MAX, 1);
    draw(weight, ENTRIES, 2);
    draw(own, ROWS, 3);
    draw(bias, WIDTH_MAX, 4);
    for (int32_t v = 0, e = 0; v < ROWS; v++) {
        for (int32_t i = 0; i < v; i++, e++) {
            from[e] = X_ROWS - 1 - (v * 5 + i) % X_ROWS;
            place[e] = (e * 7 + 1) % ENTRIES; // 7 and ENTRIES have no common factor
        }
        first[v + 1] = e;
    }
}

TestSuite(gather, .init = set_up);

static void check(const GatherForm *form, const Gather *gather) {
    size_t width = gather->width;
    y[ROWS * width] = 77; // behind the last
    gather_some(form, gather, 0, ROWS);
    for (size_t v = 0; v < ROWS; v++)
        for (size_t c = 0; c < width; c++) {
            double sum = gather->bias != NULL ? (double)bias[c] : 0;
            if (gather->own != NULL)
                sum += (double)own[v] * (double)x[v * width + c];
            for (int32_t e = first[v]; e < first[v + 1]; e++)
                sum += (double)weight[gather->place != NULL ? place[e] : e] *
                       (double)x[(size_t)from[e] * width + c];
            cr_assert(fabs((double)y[v * width + c] - sum) <= 30 * REAL_EPSILON,
                      "%s, %zu wide: [%zu, %zu] is %g, not %g", form->name, width, v, c,
                      (double)y[v * width + c], sum);
        }
    cr_assert_eq(y[ROWS * width], 77);
}

// Every width up to several registers, whole and not, with and without what a gather may have.
Test(gather, sums_in_every_form) {
    for (size_t form = 0; form < gather_form_count; form++)
        for (size_t width = 1; gather_forms[form].runs_here() && width <= WIDTH_MAX; width++)
            for (int with = 0; with < 8; with++)
                check(&gather_forms[form], &(Gather){.rows = ROWS,
                                                     .width = width,
                                                     .x_rows = X_ROWS,
                                                     .first = first,
                                                     .from = from,
                                                     .place = with & 1 ? place : NULL,
                                                     .weight = weight,
                                                     .own = with & 2 ? own : NULL,
                                                     .bias = with & 4 ? bias : NULL,
                                                     .x = x,
                                                     .y = y});
}
