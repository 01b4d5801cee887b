#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/json_out.h"
#include "server/json/document.h"

typedef struct Bytes {
    const char *text;
    size_t length;
} Bytes;
#define BYTES(literal)                                                                             \
    { literal, sizeof literal - 1 }

// A copy without a NUL behind it, so that a sanitizer sees any step too far.
static int parse(Bytes bytes, const char *const *lifted, Issues *issues, Document **ret_document,
                 char **ret_copy) {
    char *copy = malloc(bytes.length > 0 ? bytes.length : 1);
    memcpy(copy, bytes.text, bytes.length);
    issues_init(issues);
    int result = document_parse(copy, bytes.length, lifted, issues, ret_document);
    *ret_copy = copy;
    return result;
}

static int verdict(Bytes bytes, char *detail, size_t size) {
    Issues issues;
    Document *document = NULL;
    char *copy;
    int result = parse(bytes, NULL, &issues, &document, &copy);
    if (result == OK) {
        cr_assert_eq(issues.count, 0u);
    } else {
        cr_assert_eq(issues.count, 1u, "%.*s has %zu issues", (int)bytes.length, bytes.text,
                     issues.count);
        snprintf(detail, size, "%s|%s", issues.items[0].pointer, issues.items[0].detail);
    }
    document_destroy(document);
    issues_finish(&issues);
    free(copy);
    return result;
}

static void expect_text(Value value, const char *text) {
    JsonOut out;
    json_init(&out);
    ValueWriter writer = json_writer(&out);
    write_value(&writer, NULL, value);
    cr_assert_str_eq(text_string(&out.text), text);
    json_finish(&out);
}

static Document *document_of(const char *text) {
    Issues issues;
    issues_init(&issues);
    Document *document = NULL;
    cr_assert_eq(document_parse(text, strlen(text), NULL, &issues, &document), OK, "%s", text);
    issues_finish(&issues);
    return document;
}

Test(document, reads_every_kind_of_value) {
    Document *document = document_of(" {\"a\": [1, -2.5e3, true, false, null, "
                                     "\"x\\n\\u00e9\\ud834\\udd1e\"], \"A\": {}, \"\": 0}\r\n");
    expect_text(document_root(document),
                "{\"a\":[1,-2500,true,false,null,\"x\\né𝄞\"],\"A\":{},\"\":0}");
    cr_assert_eq(value_kind(value_member(document_root(document), "A")), VALUE_OBJECT);
    cr_assert_eq(value_kind(value_member(document_root(document), "b")), VALUE_MISSING);
    document_destroy(document);
}

Test(document, accepts_what_is_json) {
    const Bytes right[] = {
        BYTES("[]"),
        BYTES("{}"),
        BYTES("null"),
        BYTES(" true "),
        BYTES("\"\""),
        BYTES("-0"),
        BYTES("0e1"),
        BYTES("0e+1"),
        BYTES("1E22"),
        BYTES("[123e-10000000]"),
        BYTES(
            "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
        BYTES("[\"\\uDBFF\\uDFFF\"]"),
        BYTES("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
        BYTES("[\"\x7f\"]"),
        BYTES("[\"\xE2\x80\xA8\"]"),
        BYTES("[\"\xF4\x8F\xBF\xBF\"]"),
        BYTES("{\"a\":{\"a\":1}, \"b\":{\"a\":1}}"),
        BYTES("\t[\r\n]\n "),
        BYTES("[\"\\\\u0000\"]"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(right); i++) {
        char detail[200] = "";
        cr_assert_eq(verdict(right[i], detail, sizeof detail), OK, "%s: %s", right[i].text, detail);
    }
}

// The classes that cJSON lets through are among them (reliability.md).
Test(document, refuses_what_is_not_json) {
    const Bytes wrong[] = {
        // numbers
        BYTES("[01]"),
        BYTES("[-01]"),
        BYTES("[-2.]"),
        BYTES("[2.e3]"),
        BYTES("[.5]"),
        BYTES("[-.5]"),
        BYTES("[+1]"),
        BYTES("[0.e1]"),
        BYTES("[1.0e]"),
        BYTES("[1.0e+]"),
        BYTES("[1eE2]"),
        BYTES("[-]"),
        BYTES("[--1]"),
        BYTES("[1 000]"),
        BYTES("[0x42]"),
        BYTES("[Infinity]"),
        BYTES("[-NaN]"),
        BYTES("[012]"),
        BYTES("[-012]"),
        BYTES("[1e400]"),
        BYTES("[-1e400]"),
        BYTES("[1.2.3]"),
        BYTES("[0e]"),
        BYTES("[1a]"),
        BYTES("[\xEF\xBC\x91]"),
        // strings
        BYTES("[\"a\tb\"]"),
        BYTES("[\"a\nb\"]"),
        BYTES("[\"\x01\"]"),
        BYTES("[\"a\0b\"]"),
        BYTES("[\"\\x00\"]"),
        BYTES("[\"\\a\"]"),
        BYTES("[\"\\u12\"]"),
        BYTES("[\"\\uZZZZ\"]"),
        BYTES("[\"\\ud800\"]"),
        BYTES("[\"\\udc00\"]"),
        BYTES("[\"\\ud800\\u0041\"]"),
        BYTES("[\"\\ud800\\ud800\"]"),
        BYTES("[\"\\ud800a\"]"),
        BYTES("[\"\xff\"]"),
        BYTES("[\"\xC0\xAF\"]"),
        BYTES("[\"\xED\xA0\x80\"]"),
        BYTES("[\"\xE2\x82\"]"),
        BYTES("[\"abc]"),
        BYTES("[\"\\\"]"),
        BYTES("[\"\\"),
        BYTES("['a']"),
        BYTES("[\"a\\\0\"]"),
        // structure
        BYTES(""),
        BYTES("  "),
        BYTES("[1,]"),
        BYTES("[,1]"),
        BYTES("[1,,2]"),
        BYTES("[1"),
        BYTES("]"),
        BYTES("[1]]"),
        BYTES("[1]x"),
        BYTES("[1]\0"),
        BYTES("[1]\0garbage"),
        BYTES("\0"),
        BYTES("{\"a\" 1}"),
        BYTES("{\"a\":}"),
        BYTES("{\"a\":1,}"),
        BYTES("{a:1}"),
        BYTES("{1:1}"),
        BYTES("{\"a\":1"),
        BYTES("{\"a\""),
        BYTES("{\"a\":1 \"b\":2}"),
        BYTES("[1}"),
        BYTES("{]"),
        BYTES("[1] [2]"),
        BYTES("[tru]"),
        BYTES("[True]"),
        BYTES("[nul"),
        BYTES("[truex]"),
        BYTES("[\x0c]"),
        BYTES("[\x0b1]"),
        BYTES("[\xC2\xA0]"),
        BYTES("[//\n1]"),
        BYTES("[/**/1]"),
        BYTES("\xEF\xBB\xBF{}"),
        BYTES("<a>"),
        BYTES("\xFF\xFE[\0]\0"),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        char detail[200] = "";
        cr_assert_eq(verdict(wrong[i], detail, sizeof detail), ERR_INVALID, "case %zu: %s", i,
                     wrong[i].text);
    }
}

Test(document, refuses_what_has_two_meanings) {
    const struct {
        Bytes bytes;
        const char *detail;
    } cases[] = {
        {BYTES("{\"a\":1,\"b\":2,\"a\":1}"), "/a|this key stands twice in its object"},
        {BYTES("{\"x\":[{\"a/b\":1,\"\\u0061/b\":2}]}"),
         "/x/0/a~1b|this key stands twice in its object"},
        {BYTES("{\"\xC3\xA9\":1,\"\\u00e9\":2}"), "/\xC3\xA9|this key stands twice in its object"},
        {BYTES("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"c\":1}"),
         "/c|this key stands twice in its object"},
        {BYTES("{\"name\":\"a\\u0000b\"}"), "/name|a string must not hold the character U+0000"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char detail[200] = "";
        cr_assert_eq(verdict(cases[i].bytes, detail, sizeof detail), ERR_CONFLICT);
        cr_assert_str_eq(detail, cases[i].detail);
    }
    char detail[200] = "";
    cr_assert_eq(verdict((Bytes)BYTES("{\"a\":1,\"a\":1"), detail, sizeof detail), ERR_INVALID,
                 "not JSON at all comes first");
}

Test(document, says_where_it_is_wrong) {
    char detail[200] = "";
    cr_assert_eq(verdict((Bytes)BYTES("{\n  \"\xC3\xA9\": 01}"), detail, sizeof detail),
                 ERR_INVALID);
    cr_assert_str_eq(
        detail,
        "|line 2, column 8 (byte 10): a number must not begin with a zero before other digits");
    cr_assert_eq(verdict((Bytes)BYTES("[1,"), detail, sizeof detail), ERR_INVALID);
    cr_assert_str_eq(detail, "|line 1, column 4 (byte 3): expected a value, but the text ends");
}

static const char sample[] =
    "{\"name\":\"\xC3\xA9\\ud834\\udd1e\\n\",\"inputs\":[[1,2.5e-3],[null,\"x\"]],"
    "\"model\":{\"layers\":[{\"type\":\"dense\",\"units\":16}],\"on\":true},\"n\":-0.5}";
static const char *const lifted[] = {"/inputs", "/dataset/inputs", NULL};

Test(document, no_prefix_of_a_document_is_a_document) {
    for (size_t cut = 0; cut < sizeof sample - 1; cut++) {
        Issues issues;
        Document *document = NULL;
        char *copy;
        cr_assert_eq(parse((Bytes){sample, cut}, lifted, &issues, &document, &copy), ERR_INVALID,
                     "cut at %zu", cut);
        issues_finish(&issues);
        free(copy);
    }
}

Test(document, any_changed_byte_is_survived) {
    for (size_t at = 0; at < sizeof sample - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof sample];
            memcpy(changed, sample, sizeof sample);
            changed[at] = (char)byte;
            Issues issues;
            Document *document = NULL;
            char *copy;
            int result =
                parse((Bytes){changed, sizeof sample - 1}, lifted, &issues, &document, &copy);
            cr_assert((result == OK) == (document != NULL));
            cr_assert((result == OK) == (issues.count == 0));
            document_destroy(document);
            issues_finish(&issues);
            free(copy);
        }
    }
}

Test(document, lifts_arrays_out_of_the_tree) {
    const char text[] = "{\"name\": \"x\", \"\\u0069nputs\" : [[1, 2], [\"]\", {\"inputs\": [3]}]] "
                        ",\"dataset\":{\"inputs\":[ ],\"targets\":[1]}}";
    Issues issues;
    issues_init(&issues);
    Document *document;
    cr_assert_eq(document_parse(text, strlen(text), lifted, &issues, &document), OK);
    expect_text(document_root(document),
                "{\"name\":\"x\",\"inputs\":[],\"dataset\":{\"inputs\":[],\"targets\":[1]}}");
    const char *span;
    size_t length;
    cr_assert(document_lifted(document, "/inputs", &span, &length));
    cr_assert_eq(strncmp(span, "[[1, 2], [\"]\", {\"inputs\": [3]}]]", length), 0);
    cr_assert_eq(length, strlen("[[1, 2], [\"]\", {\"inputs\": [3]}]]"));
    cr_assert(document_lifted(document, "/dataset/inputs", &span, &length));
    cr_assert_eq(strncmp(span, "[ ]", length), 0);
    cr_assert_not(document_lifted(document, "/targets", &span, &length));
    document_destroy(document);
    issues_finish(&issues);
}

Test(document, what_is_lifted_must_be_json_too) {
    const char *const texts[] = {"{\"inputs\":[[01]]}", "{\"inputs\":[1,]}", "{\"inputs\":[1e999]}",
                                 "{\"inputs\":[1}"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        Issues issues;
        issues_init(&issues);
        Document *document;
        cr_assert_eq(document_parse(texts[i], strlen(texts[i]), lifted, &issues, &document),
                     ERR_INVALID, "%s", texts[i]);
        issues_finish(&issues);
    }
}

Test(document, numbers_longer_than_cjson_reads_stay_exact) {
    const char text[] =
        "{\"a\":0.10000000000000000000000000000000000000000000000000000000000000000000000000000001,"
        "\"b\":[100000000000000000000000000000000000000000000000000000000000000000000000000,2]}";
    Document *document = document_of(text);
    cr_assert_eq(value_number(value_member(document_root(document), "a")), 0.1);
    cr_assert_eq(value_number(value_child(value_member(document_root(document), "b"))), 1e74);
    document_destroy(document);
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail) {
    Text text;
    text_init(&text);
    text_add(&text, head);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, part);
    }
    text_add(&text, tail);
    return text_take(&text);
}

static void expect_result(char *text, const char *const *lift, int wanted) {
    Issues issues;
    issues_init(&issues);
    Document *document = NULL;
    cr_assert_eq(document_parse(text, strlen(text), lift, &issues, &document), wanted);
    document_destroy(document);
    issues_finish(&issues);
    memory_free(text);
}

Test(document, depth_and_elements_are_bounded) {
    char *deepest = repeat("", "[", JSON_DEPTH_MAX, "");
    char *nested = repeat(deepest, "]", JSON_DEPTH_MAX, "");
    memory_free(deepest);
    expect_result(nested, NULL, OK);
    expect_result(repeat("", "[", 100000, ""), NULL, ERR_INVALID);
    expect_result(repeat("", "{\"a\":", 100000, ""), NULL, ERR_INVALID);
    expect_result(repeat("[", "1,", 600000, "1]"), NULL, ERR_TOO_LARGE);
    expect_result(repeat("{\"inputs\":[", "1,", 600000, "1]}"), lifted, OK);
}

Test(document, keys_of_an_object_are_bounded) {
    Text text;
    text_init(&text);
    text_add(&text, "{\"inputs\":[{\"k\":0");
    for (int i = 0; i < 70000; i++) {
        text_add_format(&text, ",\"%d\":0", i);
    }
    text_add(&text, "}]}");
    expect_result(text_take(&text), lifted, ERR_TOO_LARGE);
}

Test(document, survives_the_failure_of_any_allocation) {
    int failures = 0;
    for (long nth = 1;; nth++) {
        Issues issues;
        Document *document = NULL;
        char *copy;
        memory_fail_at(nth);
        int result = parse((Bytes){sample, sizeof sample - 1}, lifted, &issues, &document, &copy);
        memory_fail_at(0);
        free(copy);
        issues_finish(&issues);
        document_destroy(document);
        if (result == OK) {
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY);
        failures++;
    }
    cr_assert_gt(failures, 10);
}

Test(document, merges_as_rfc_7396_shows) {
    const char *const cases[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Document *target = document_of(cases[i][0]);
        Document *patch = document_of(cases[i][1]);
        Document *merged;
        cr_assert_eq(document_merge(document_root(target), document_root(patch), &merged), OK);
        document_destroy(target);
        document_destroy(patch);
        expect_text(document_root(merged), cases[i][2]);
        document_destroy(merged);
    }
}

Test(document, merging_survives_the_failure_of_any_allocation) {
    Document *target = document_of(sample);
    Document *patch =
        document_of("{\"model\":{\"layers\":[1,2],\"off\":{\"x\":null,\"y\":1}},\"n\":null}");
    for (long nth = 1;; nth++) {
        Document *merged = NULL;
        memory_fail_at(nth);
        int result = document_merge(document_root(target), document_root(patch), &merged);
        memory_fail_at(0);
        document_destroy(merged);
        if (result == OK) {
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY);
    }
    document_destroy(target);
    document_destroy(patch);
}
