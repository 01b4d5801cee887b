#include "server/routes/sparkline.h"
#include <criterion/criterion.h>
#include <math.h>

static void expect(const double *numbers, size_t count, bool by_log, const char *expected) {
    Text text;
    text_init(&text);
    sparkline_write(&text, numbers, count, by_log);
    cr_assert_str_eq(text_string(&text), expected);
    text_finish(&text);
}

Test(sparkline, spreads_numbers_over_eight_blocks) {
    expect((double[]){0, 1, 2, 3, 4, 5, 6, 7}, 8, false, "▁▂▃▄▅▆▇█");
    expect((double[]){1, 10, 100}, 3, true, "▁▅█");
    expect((double[]){1, 10, 100}, 3, false, "▁▁█");
    expect((double[]){0, 10, 100}, 3, true, "▁▁█"); // no logarithm of 0
}

Test(sparkline, stands_still_and_marks_what_is_no_number) {
    expect((double[]){3, 3, 3}, 3, true, "▁▁▁");
    expect((double[]){1, NAN, 2, INFINITY}, 4, false, "▁×█×");
    expect(NULL, 0, false, "");
}
