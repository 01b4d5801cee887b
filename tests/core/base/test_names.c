#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/names.h"

static int32_t add(Names *names, const char *text, size_t maximum) {
    int32_t index = -1;
    int result = names_add(names, text, strlen(text), maximum, &index);
    return result == OK ? index : result;
}

Test(names, are_numbered_in_the_order_of_their_coming) {
    Names names = {0};
    cr_assert_eq(names_find(&names, "a", 1), -1);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof text, "n%d", i % 500);
        cr_assert_eq(add(&names, text, 500), i % 500);
    }
    cr_assert_eq(names_find(&names, "n17x", 3), 17, "the length counts, not a NUL");
    cr_assert_eq(names_find(&names, "n500", 4), -1);
    cr_assert_eq(add(&names, "n500", 500), ERR_TOO_LARGE);
    names_finish(&names);
}

Test(names, sort_by_code_point_and_say_where_each_went) {
    Names names = {0};
    const char *const texts[] = {"b", "é", "a", "𝄞", "B", "aa"};
    const int32_t places[] = {3, 4, 1, 5, 0, 2};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        add(&names, texts[i], 10);
    }
    int32_t *moved;
    cr_assert_eq(names_sort(&names, &moved), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        cr_assert_eq(moved[i], places[i], "%s", texts[i]);
        cr_assert_eq(names_find(&names, texts[i], strlen(texts[i])), places[i]);
    }
    memory_free(moved);
    names_finish(&names);
}
