#include <criterion/criterion.h>
#include <string.h>
#include "server/base/time.h"

Test(time, is_written_as_rfc_3339) {
    char text[TIME_TEXT];
    time_text(0, text);
    cr_assert_str_eq(text, "1970-01-01T00:00:00.000Z");
    time_text(1795482123456, text);
    cr_assert_str_eq(text, "2026-11-24T01:02:03.456Z");
    time_text(-1, text);
    cr_assert_str_eq(text, "1969-12-31T23:59:59.999Z");
}

Test(time, ids_sort_by_their_making) {
    char previous[ID_TEXT], next[ID_TEXT];
    id_make("job_", previous);
    cr_assert_eq(strlen(previous), 4u + 26u);
    cr_assert_eq(strncmp(previous, "job_", 4), 0);
    cr_assert_eq(strspn(previous + 4, "0123456789abcdefghjkmnpqrstvwxyz"), 26u);
    for (int i = 0; i < 10000; i++) {
        id_make("job_", next);
        cr_assert_lt(strcmp(previous, next), 0, "%s is not before %s", previous, next);
        memcpy(previous, next, sizeof previous);
    }
}

Test(time, told_roughly_is_a_little_behind) {
    for (int i = 0; i < 1000; i++) {
        int64_t rough = time_roughly(), now = time_monotonic();
        cr_assert_leq(rough, now);
        cr_assert_leq(now - rough, 1000, "as far as this process is let run");
    }
}
