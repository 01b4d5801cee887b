#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/rows.h"

static const char table[] = "[{\"name\":\"age\",\"kind\":\"number\"},{\"name\":\"color\",\"kind\":"
                            "\"category\",\"values\":[\"3\",\"blue\",\"red\"]}]";

static int read(const char *columns_text, Shape shape, const char *text, Issues *issues,
                float **ret_inputs, int64_t *ret_rows) {
    Columns *columns;
    cr_assert_eq(columns_parse(columns_text, &columns), OK);
    issues_init(issues);
    int result =
        rows_read(columns, &shape, text, strlen(text), "/inputs", issues, ret_inputs, ret_rows);
    columns_destroy(columns);
    return result;
}

static void expect(const char *columns, Shape shape, const char *text, const float *wanted,
                   int64_t rows) {
    Issues issues;
    float *inputs = NULL;
    int64_t count;
    cr_assert_eq(read(columns, shape, text, &issues, &inputs, &count), OK, "%s: %s", text,
                 issues.count > 0 ? issues.items[0].detail : "");
    cr_assert_eq(count, rows);
    for (int64_t i = 0; i < rows * shape_elements(&shape); i++) {
        cr_assert(inputs[i] == wanted[i] || (isnan(inputs[i]) && isnan(wanted[i])), "%lld: %g",
                  (long long)i, (double)inputs[i]);
    }
    memory_free(inputs);
    issues_finish(&issues);
}

static void refused(const char *columns, Shape shape, const char *text, const char *wanted) {
    Issues issues;
    float *inputs = NULL;
    int64_t rows;
    cr_assert_eq(read(columns, shape, text, &issues, &inputs, &rows), ERR_INVALID, "%s", text);
    Text said;
    text_init(&said);
    for (size_t i = 0; i < issues.count; i++) {
        text_add_format(&said, "%s: %s\n", issues.items[i].pointer, issues.items[i].detail);
    }
    cr_assert_str_eq(text_string(&said), wanted);
    text_finish(&said);
    issues_finish(&issues);
}

Test(rows, plain_rows_are_numbers_of_the_shape) {
    expect(NULL, SHAPE(2), "[[1,2],[null, -3.5]]", (float[]){1, 2, NAN, -3.5f}, 2);
    expect("", SHAPE(2, 2), "[ [ [1,2] , [3,4] ] ]", (float[]){1, 2, 3, 4}, 1);
    expect(NULL, SHAPE(1), "[5,[6]]", (float[]){5, 6}, 2);
    refused(
        NULL, SHAPE(2), "[[1,2],[1],[\"a\",2],{}]",
        "/inputs/1: must have 2 items, not 1\n/inputs/2/0: must be a number or null, not a string\n"
        "/inputs/3: must be an array of 2 items, not an object\n");
    refused(NULL, SHAPE(2), "[]", "/inputs: must be an array of at least one row\n");
    refused(NULL, SHAPE(2), "{}", "/inputs: must be an array of at least one row\n");
}

Test(rows, of_tables_are_arrays_or_objects_of_the_users_columns) {
    expect(
        table, SHAPE(5),
        "[[1.5,\"red\"],{\"color\":\"blue\",\"age\":2},{\"age\":null,\"color\":null},[4,3],[0,\"\"]"
        "]",
        (float[]){1.5f, 0, 0, 1, 0, 2, 0, 1, 0, 0, NAN, 0, 0, 0, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1},
        5);
}

Test(rows, of_tables_say_what_does_not_fit) {
    refused(table, SHAPE(5),
            "[[1,\"green\"],[1],[\"x\",true],{\"agee\":1,\"color\":\"red\"},7,[1,\"red\",2],{"
            "\"age\":1e39,\"color\":4}]",
            "/inputs/0/1: \"green\" is not a known value of the column \"color\": must be one of "
            "\"3\", \"blue\", \"red\", or null\n"
            "/inputs/1: must have 2 items, one for each column, not 1\n"
            "/inputs/2/0: must be a number or null, not a string\n/inputs/2/1: must be a string or "
            "null, not a boolean\n"
            "/inputs/3/agee: there is no column \"agee\"; did you mean \"age\"?\n"
            "/inputs/3/age: is required; null says that the value is missing\n"
            "/inputs/4: must be an array or an object of the 2 columns, not a number\n"
            "/inputs/5: must have 2 items, one for each column, not 3\n"
            "/inputs/6/age: 1e+39 is beyond the range of single precision\n"
            "/inputs/6/color: \"4\" is not a known value of the column \"color\": must be one of "
            "\"3\", \"blue\", \"red\", or null\n");
}

Test(rows, damaged_columns_are_noticed) {
    const char *const damaged[] = {"{", "{}", "[{\"kind\":\"number\"}]", "[1]",
                                   "[{\"name\":\"a\"},{\"name\":\"a\"}]"};
    for (size_t i = 0; i < ARRAY_LENGTH(damaged); i++) {
        Columns *columns;
        cr_assert_eq(columns_parse(damaged[i], &columns), ERR_DAMAGED, "%s", damaged[i]);
    }
    Issues issues;
    float *inputs;
    int64_t rows;
    cr_assert_eq(read(table, SHAPE(4), "[[1,\"red\"]]", &issues, &inputs, &rows), ERR_DAMAGED,
                 "a width that is not the columns'");
}

Test(rows, survive_the_failure_of_any_allocation) {
    for (long nth = 1;; nth++) {
        Columns *columns = NULL;
        Issues issues;
        issues_init(&issues);
        float *inputs = NULL;
        int64_t rows;
        const char text[] = "[[1,\"red\"],{\"color\":\"blue\",\"age\":2}]";
        memory_fail_at(nth);
        int result = columns_parse(table, &columns);
        if (result == OK) {
            result = rows_read(columns, &SHAPE(5), text, strlen(text), "/inputs", &issues, &inputs,
                               &rows);
        }
        memory_fail_at(0);
        columns_destroy(columns);
        issues_finish(&issues);
        memory_free(inputs);
        if (result == OK) {
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY);
    }
}

// As in the service: the strict scanner first, and only what it passes is read.
Test(rows, any_changed_byte_is_survived) {
    static const char *const lifted[] = {"/inputs", NULL};
    const char sample[] =
        "{\"inputs\":[[1.5,\"r\\u00e9d\"],{\"color\":\"blue\",\"age\":-2e1},[null,3]]}";
    Columns *columns;
    cr_assert_eq(columns_parse(table, &columns), OK);
    for (size_t at = 0; at < sizeof sample - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char *changed = malloc(sizeof sample - 1);
            memcpy(changed, sample, sizeof sample - 1);
            changed[at] = (char)byte;
            Issues issues;
            issues_init(&issues);
            Document *document = NULL;
            const char *text;
            size_t length;
            if (document_parse(changed, sizeof sample - 1, lifted, &issues, &document) == OK &&
                document_lifted(document, "/inputs", &text, &length)) {
                float *inputs = NULL;
                int64_t rows;
                int result =
                    rows_read(columns, &SHAPE(5), text, length, "/inputs", &issues, &inputs, &rows);
                cr_assert((result == OK) == (issues.count == 0));
                memory_free(inputs);
            }
            document_destroy(document);
            issues_finish(&issues);
            free(changed);
        }
    }
    columns_destroy(columns);
}
