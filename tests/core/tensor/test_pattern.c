#include <criterion/criterion.h>
#include <math.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tensor/gather.h"
#include "core/tensor/pattern.h"

static void expect(const char *what, const int32_t *actual, const int32_t *wanted, int count) {
    for (int i = 0; i < count; i++)
        cr_expect_eq(actual[i], wanted[i], "%s[%d] is %d, not %d", what, i, actual[i], wanted[i]);
}

// [0 5 0 7]
// [0 0 0 0]
// [0 3 2 0]
static Pattern *example(void) {
    Pattern *pattern;
    cr_assert_eq(pattern_create(3, 4, (const int32_t[]){0, 2, 2, 4}, (const int32_t[]){1, 3, 1, 2},
                                &pattern),
                 OK);
    return pattern;
}

Test(pattern, lists_each_entry_by_row_and_by_column) {
    Pattern *pattern = example();
    cr_expect_eq(pattern->rows, 3);
    cr_expect_eq(pattern->columns, 4);
    cr_expect_eq(pattern->entries, 4);
    expect("first_in_row", pattern->first_in_row, (const int32_t[]){0, 2, 2, 4}, 4);
    expect("column", pattern->column, (const int32_t[]){1, 3, 1, 2}, 4);
    expect("first_in_column", pattern->first_in_column, (const int32_t[]){0, 0, 2, 3, 4}, 5);
    expect("row", pattern->row, (const int32_t[]){0, 2, 2, 0}, 4);
    expect("place", pattern->place, (const int32_t[]){0, 2, 3, 1}, 4);
    pattern_destroy(pattern);
}

Test(pattern, can_be_empty) {
    Pattern *pattern;
    cr_assert_eq(pattern_create(2, 3, (const int32_t[]){0, 0, 0}, NULL, &pattern), OK);
    cr_expect_eq(pattern->entries, 0);
    expect("first_in_column", pattern->first_in_column, (const int32_t[]){0, 0, 0, 0}, 4);
    pattern_destroy(pattern);
}

// Widths below, at and above a whole number of blocks.
Test(gather, is_a_product_with_the_matrix_and_its_transpose) {
    enum { WIDTH_MAX = 40 };
    static const Real numbers[] = {5, 7, 3, 2}, own[] = {0.5, -1, 2};
    Pattern *pattern = example();
    Real x[4 * WIDTH_MAX], y[4 * WIDTH_MAX], bias[WIDTH_MAX];
    for (size_t i = 0; i < 4 * WIDTH_MAX; i++)
        x[i] = (Real)((double)(i * 37 % 101) / 10);
    for (size_t i = 0; i < WIDTH_MAX; i++)
        bias[i] = (Real)i;
    for (size_t width = 1; width <= WIDTH_MAX; width++) {
        gather_rows(NULL, &(Gather){.rows = 3,
                                    .x_rows = 4,
                                    .width = width,
                                    .first = pattern->first_in_row,
                                    .from = pattern->column,
                                    .weight = numbers,
                                    .own = own,
                                    .bias = bias,
                                    .x = x,
                                    .y = y});
        for (size_t c = 0; c < width; c++) {
            const Real *at = x + c;
            double wanted[] = {5 * at[width] + 7 * at[3 * width] + 0.5 * at[0], -1 * at[width],
                               3 * at[width] + 2 * at[2 * width] + 2 * at[2 * width]};
            for (size_t r = 0; r < 3; r++)
                cr_expect(fabs((double)(y[r * width + c] - bias[c]) - wanted[r]) < 1e-4);
        }
        gather_rows(NULL, &(Gather){.rows = 4,
                                    .x_rows = 3,
                                    .width = width,
                                    .first = pattern->first_in_column,
                                    .from = pattern->row,
                                    .place = pattern->place,
                                    .weight = numbers,
                                    .x = x,
                                    .y = y});
        for (size_t c = 0; c < width; c++) {
            const Real *at = x + c;
            double wanted[] = {0, 5 * at[0] + 3 * at[2 * width], 2 * at[2 * width], 7 * at[0]};
            for (size_t r = 0; r < 4; r++)
                cr_expect(fabs((double)y[r * width + c] - wanted[r]) < 1e-4);
        }
    }
    pattern_destroy(pattern);
}
