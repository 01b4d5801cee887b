// Memory, arenas, texts and issues.
#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/issues.h"
#include "core/base/memory.h"
#include "core/base/text.h"

static bool all_zero(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(memory, arrays_are_zeroed_and_aligned) {
    AUTO_FREE char *array = memory_array(1000, 3);
    cr_assert_eq((uintptr_t)array % 64, 0);
    cr_assert(all_zero(array, 3000));
    AUTO_FREE char *empty = memory_array(0, 8);
    cr_assert_not_null(empty);
}

Test(memory, an_overflowing_product_is_no_array) {
    cr_assert_null(memory_array(SIZE_MAX / 2, 3));
    cr_assert_null(memory_array(SIZE_MAX, 1));
    cr_assert_null(memory_resize(NULL, 0, SIZE_MAX / 2, 3));
}

Test(memory, resizing_keeps_what_is_used_and_zeroes_the_rest) {
    char *array = memory_array(4, 1);
    memcpy(array, "abcd", 4);
    array = memory_resize(array, 4, 100, 1);
    cr_assert_eq(memcmp(array, "abcd", 4), 0);
    cr_assert(all_zero(array + 4, 96));
    array = memory_resize(array, 100, 2, 1);
    cr_assert_eq(memcmp(array, "ab", 2), 0);
    memory_fail_at(1);
    cr_assert_null(memory_resize(array, 2, 50, 1));
    cr_assert_eq(memcmp(array, "ab", 2), 0);
    memory_free(array);
}

Test(memory, the_nth_allocation_fails_once) {
    memory_fail_at(2);
    AUTO_FREE void *first = memory_array(1, 1);
    AUTO_FREE void *second = memory_array(1, 1);
    AUTO_FREE void *third = memory_array(1, 1);
    cr_assert_not_null(first);
    cr_assert_null(second);
    cr_assert_not_null(third);
}

Test(memory, take_leaves_null_behind) {
    char *text = memory_string("x");
    AUTO_FREE char *taken = TAKE(text);
    cr_assert_null(text);
    cr_assert_str_eq(taken, "x");
    cr_assert_null(memory_string(NULL));
}

Test(arena, hands_out_zeroed_memory_up_to_its_limit) {
    Arena arena;
    arena_init(&arena, 100000);
    char *small = arena_array(&arena, 10, 1), *large = arena_array(&arena, 50000, 1);
    cr_assert_eq((uintptr_t)small % 16, 0);
    cr_assert(all_zero(small, 10) && all_zero(large, 50000));
    memset(small, 1, 10);
    cr_assert(all_zero(large, 50000));
    cr_assert_null(arena_array(&arena, 60000, 1));
    cr_assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    cr_assert_not_null(arena_array(&arena, 40000, 1));
    arena_finish(&arena);
    cr_assert_eq(arena.bytes, 0);
    cr_assert_not_null(arena_array(&arena, 60000, 1));
    arena_finish(&arena);
}

Test(arena, formats_and_copies) {
    Arena arena;
    arena_init(&arena, 0);
    cr_assert_str_eq(arena_format(&arena, "%s_%d", "dense", 12), "dense_12");
    cr_assert_str_eq(arena_string(&arena, "x"), "x");
    cr_assert_null(arena_string(&arena, NULL));
    for (int i = 0; i < 5000; i++) {
        cr_assert_not_null(arena_format(&arena, "%d", i));
    }
    arena_finish(&arena);
}

Test(text, grows) {
    Text text;
    text_init(&text);
    cr_assert_str_eq(text_string(&text), "");
    for (int i = 0; i < 1000; i++) {
        text_add_format(&text, "%d,", i % 10);
    }
    text_add_char(&text, 'x');
    cr_assert_eq(text.length, 2001);
    cr_assert_eq(strlen(text_string(&text)), 2001);
    text_clear(&text);
    cr_assert_str_eq(text_string(&text), "");
    text_add(&text, "y");
    AUTO_FREE char *taken = text_take(&text);
    cr_assert_str_eq(taken, "y");
    AUTO_FREE char *empty = text_take(&text);
    cr_assert_str_eq(empty, "");
}

Test(text, stays_as_it_is_after_a_failure) {
    Text text;
    text_init(&text);
    text.limit = 5;
    text_add(&text, "abc");
    text_add(&text, "def");
    cr_assert(text.failed);
    text_add(&text, "g");
    cr_assert_str_eq(text_string(&text), "abc");
    cr_assert_null(text_take(&text));
    cr_assert_not(text.failed);
    memory_fail_at(1);
    text_add(&text, "x");
    cr_assert(text.failed);
    text_finish(&text);
}

Test(issues, are_kept_with_their_pointer_up_to_a_bound) {
    Issues issues;
    issues_init(&issues);
    cr_assert_not(issues_any(&issues));
    issues_add(&issues, PATH_INDEX(PATH_KEY(NULL, "a/b~c"), 3), "is %d", 7);
    issues_add_at(&issues, "", "whole");
    cr_assert_str_eq(issues.items[0].pointer, "/a~1b~0c/3");
    cr_assert_str_eq(issues.items[0].detail, "is 7");
    cr_assert_str_eq(issues.items[1].pointer, "");
    for (int i = 2; i < ISSUES_MAX + 5; i++) {
        issues_add(&issues, NULL, "%d", i);
    }
    cr_assert_eq(issues.count, ISSUES_MAX);
    cr_assert_eq(issues.omitted, 5);
    issues_finish(&issues);
    memory_fail_at(1);
    issues_add(&issues, NULL, "x");
    cr_assert(issues_any(&issues));
    cr_assert_eq(issues.count, 0);
    issues_finish(&issues);
}

Test(error, each_code_has_its_name_and_sentence) {
    cr_assert_str_eq(error_name(ERR_DAMAGED), "damaged");
    cr_assert_str_eq(error_text(ERR_IO), "reading or writing failed");
    cr_assert_str_eq(error_name(-999), "unknown");
    cr_assert_str_eq(error_text(1), "unknown");
}
