#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/json/span.h"

static Span span_of(const char *text) {
    return (Span){.at = text, .end = text + strlen(text)};
}

Test(span, walks_arrays_and_objects_in_order) {
    Span span = span_of("[ 1 , \"a\" ,[2,[ ]],{\"k\" : null , \"l\":[3]} , true]x");
    const ValueKind kinds[] = {VALUE_NUMBER, VALUE_STRING, VALUE_ARRAY, VALUE_OBJECT,
                               VALUE_BOOLEAN};
    size_t count = 0;
    for (span_enter(&span); span_next(&span); span_skip(&span)) {
        cr_assert_eq(span_kind(&span), kinds[count], "item %zu", count);
        count++;
    }
    cr_assert_eq(count, ARRAY_LENGTH(kinds));
    cr_assert_eq(*span.at, 'x', "the span is behind the bracket");
}

Test(span, reads_keys_strings_and_numbers) {
    Span span = span_of("{\"a\\u00e9\\n\" : -2.5e1, \"b\":\"\\ud834\\udd1e]\\\"\"}");
    Text text;
    text_init(&text);
    span_enter(&span);
    cr_assert(span_next(&span));
    span_key(&span, &text);
    cr_assert_str_eq(text_string(&text), "aé\n");
    double number;
    cr_assert_eq(span_number(&span, &number), OK);
    cr_assert_eq(number, -25);
    cr_assert(span_next(&span));
    span_key(&span, &text);
    cr_assert_str_eq(text_string(&text), "b");
    span_string(&span, &text);
    cr_assert_str_eq(text_string(&text), "𝄞]\"");
    cr_assert_not(span_next(&span));
    text_finish(&text);
}

Test(span, reads_the_numbers_of_an_array_together) {
    Span span = span_of("[1,-2.5 , 3, 4,\n null,5]x");
    float numbers[8];
    span_enter(&span);
    cr_assert(span_next(&span));
    cr_assert_eq(span_floats(&span, 8, numbers), 1, "a blank stands before the next comma");
    cr_assert_eq(span_kind(&span), VALUE_NUMBER);
    span_skip(&span);
    cr_assert(span_next(&span));
    cr_assert_eq(span_floats(&span, 8, numbers + 1), 2);
    cr_assert_eq(numbers[0], 1);
    cr_assert_eq(numbers[1], 3);
    cr_assert_eq(numbers[2], 4);
    cr_assert_eq(span_kind(&span), VALUE_NULL);
    span_skip(&span);
    cr_assert(span_next(&span));
    cr_assert_eq(span_floats(&span, 8, numbers), 0, "the last is the walk's");
    span_skip(&span);
    cr_assert_not(span_next(&span));
    cr_assert_eq(*span.at, 'x');
}

Test(span, skips_whatever_stands_in_strings_and_brackets) {
    const char *const texts[] = {"[1,[2,{\"a]\":[3]}],\"\\\"]\",true]", "{\"}\":{\"\":[]}}",
                                 "\"[\"", "-1.5e3", "null"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        Text text;
        text_init(&text);
        text_add_format(&text, "%s,1]", texts[i]);
        Span span = span_of(text_string(&text));
        span_skip(&span);
        cr_assert_eq((size_t)(span.at - text_string(&text)), strlen(texts[i]), "%s", texts[i]);
        text_finish(&text);
    }
}

Test(span, ends_at_the_end_of_a_text_that_is_cut) {
    const char *const texts[] = {"", "[", "[1,", "[\"a", "{\"a\"", "{\"a\":", "[[[", "[\"\\"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        Span span = span_of(texts[i]);
        span_skip(&span);
        cr_assert_leq(span.at, span.end, "%s", texts[i]);
        cr_assert_not(span_next(&span));
    }
}
