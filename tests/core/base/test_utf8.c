#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>
#include "core/base/memory.h"
#include "core/base/utf8.h"

Test(utf8, every_code_point_is_one_character_and_surrogates_are_none) {
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char bytes[4];
        size_t length = utf8_write(point, bytes);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        cr_assert_eq(utf8_character(bytes, length), surrogate ? 0 : length, "U+%04X", point);
        size_t read_length = 0;
        cr_assert_eq(utf8_read(bytes, &read_length), point);
        cr_assert_eq(read_length, length);
    }
}

Test(utf8, finds_the_first_byte_that_is_wrong) {
    const struct {
        const char *bytes;
        size_t wrong_at;
    } cases[] = {
        {"\x80", 0},
        {"abcdefgh\xFFi", 8},
        {"\xC0\xAF", 0},
        {"\xC1\xBF", 0},
        {"\xE0\x80\x80", 0},
        {"\xED\xA0\x80", 0},
        {"a\xE2\x82", 1},
        {"\xF0\x80\x80\x80", 0},
        {"\xF4\x90\x80\x80", 0},
        {"\xF5\x80\x80\x80", 0},
        {"12345678\xC3", 8},
        {"\xC3(", 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        cr_assert_eq(utf8_check(cases[i].bytes, strlen(cases[i].bytes)), cases[i].wrong_at,
                     "case %zu", i);
    }
    cr_assert_eq(utf8_check("schön – 日本語 𝄞", strlen("schön – 日本語 𝄞")),
                 strlen("schön – 日本語 𝄞"));
}
