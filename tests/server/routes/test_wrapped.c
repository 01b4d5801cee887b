#include <criterion/criterion.h>
#include "server/routes/wrapped.h"

static void expect(const char *words, size_t indent, size_t columns, const char *lines) {
    Text text;
    text_init(&text);
    wrapped_write(&text, words, indent, columns);
    cr_expect_str_eq(text_string(&text), lines);
    text_finish(&text);
}

Test(wrapped, breaks_at_blanks) {
    expect("one two three", 0, 7, "one two\nthree\n");
    expect("one two three", 2, 9, "  one two\n  three\n");
    expect(" one  two\nthree ", 0, 20, "one two three\n");
}

Test(wrapped, leaves_a_word_that_is_too_long_whole) {
    expect("a incomprehensible b", 0, 5, "a\nincomprehensible\nb\n");
}

Test(wrapped, breaks_between_wide_characters_which_take_two_columns) {
    expect("損失は止まっています", 0, 10, "損失は止ま\nっています\n");
    expect("学習率 0.01 では高い", 0, 12, "学習率 0.01\nでは高い\n");
    expect("層dense_1は", 0, 8, "層\ndense_1\nは\n");
}

Test(wrapped, neither_ends_a_line_with_what_opens_nor_begins_one_with_what_closes) {
    expect("損失です。次", 0, 8, "損失で\nす。次\n");
    expect("これは「層」です", 0, 8, "これは\n「層」で\nす\n");
}

Test(wrapped, counts_columns_and_no_bytes) {
    expect("é é é é", 0, 7, "é é é é\n");
}

Test(wrapped, ends_a_line_of_nothing) {
    expect("", 4, 10, "\n");
}
