#include "tests/server/data/intake_help.h"

TestSuite(intake_csv, .init = folder_make, .fini = folder_remove);

static int take(const char *text, size_t length, const char *target, Issues *issues,
                DatasetRow *ret_row) {
    issues_init(issues);
    Source source = source_in_memory(text, length);
    IntakeWish wish = {.name = "table", .target = target};
    return intake_csv(directory, &source, &wish, issues, ret_row);
}

static DatasetRow taken(const char *text, const char *target) {
    Issues issues;
    DatasetRow row = {0};
    int result = take(text, strlen(text), target, &issues, &row);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_eq(result, OK, "%s", said);
    issues_finish(&issues);
    return row;
}

static void refused_bytes(const char *text, size_t length, const char *target, const char *wanted) {
    Issues issues;
    int files = folder_files(false);
    DatasetRow row = {0};
    cr_assert_eq(take(text, length, target, &issues, &row), ERR_INVALID, "%s", text);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    cr_assert_eq(folder_files(false), files);
    issues_finish(&issues);
}

static void refused(const char *text, const char *target, const char *wanted) {
    refused_bytes(text, strlen(text), target, wanted);
}

Test(intake_csv, numbers_texts_quotes_and_missing_cells) {
    DatasetRow row = taken("\xEF\xBB\xBF\"age\",color,\"say \"\"hi\"\"\",class\r\n"
                           "+1.5,red,\"a,\"\"b\"\"\nc\",yes\r\n"
                           "\r\n"
                           " 007 ,,x,no\r\n"
                           ",blue,x,\"yes\"",
                           NULL);
    cr_assert_str_eq(row.name, "table");
    cr_assert_str_eq(row.input_shape, "[7]");
    cr_assert_str_eq(row.classes, "[\"no\",\"yes\"]");
    expect_rows(
        &row,
        "{\"items\":[{\"row\":0,\"input\":[1.5,\"red\",\"a,\\\"b\\\"\\nc\"],\"target\":\"yes\"},"
        "{\"row\":1,\"input\":[7,null,\"x\"],\"target\":\"no\"},"
        "{\"row\":2,\"input\":[null,\"blue\",\"x\"],\"target\":\"yes\"}]}");
    Dataset *dataset = dataset_of(&row);
    const float wanted[] = {1.5f, 0, 1, 0, 1, 0, 0, 7, 0, 0, 1, 0, 1, 0};
    cr_assert_eq(memcmp(dataset->inputs, wanted, sizeof wanted), 0);
    AUTO_FREE char *columns = archive_text(dataset->archive, "columns");
    cr_assert_str_eq(columns,
                     "[{\"name\":\"age\",\"kind\":\"number\"},{\"name\":\"color\",\"kind\":"
                     "\"category\",\"values\":[\"blue\",\"red\"]},"
                     "{\"name\":\"say "
                     "\\\"hi\\\"\",\"kind\":\"category\",\"values\":[\"a,\\\"b\\\"\\nc\",\"x\"]}]");
    dataset_close(dataset);
    cr_assert_not_null(strstr(row.profile, "{\"name\":\"color\",\"mean\":null,\"std\":null,\"min\":"
                                           "null,\"max\":null,\"missing\":1,\"distinct\":2}"));
    dataset_row_finish(&row);
}

Test(intake_csv, targets_are_any_columns) {
    DatasetRow row = taken("y,x,z\n1.5,2,3\n2.5,4,5\n", "y");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.input_shape, "[2]");
    dataset_row_finish(&row);
    row = taken("y,x,z\n1,2,3\n2,4,5\n", "z,y");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.target_shape, "[2]");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[2],\"target\":[3,1]},{\"row\":1,\"input\":"
                      "[4],\"target\":[5,2]}]}");
    dataset_row_finish(&row);
    row = taken("x,\"a,b\"\n1,0\n2,1\n", "a,b");
    cr_assert_str_eq(row.task, "classification");
    dataset_row_finish(&row);
}

Test(intake_csv, says_line_and_column_of_what_is_wrong) {
    refused("a,b,y\n1,2,0\n1,2\n1,2,3,4\n1,1e99,1\n1,2,\n", NULL,
            ": line 3: has 2 cells where the header has 3: a missing value is an empty cell, with "
            "its comma\n"
            ": line 4: has 4 cells where the header has 3: a cell with a comma in it must stand in "
            "double quotes\n"
            ": line 5, column \"b\": 1e99 is beyond the range of single precision\n"
            ": line 6, column \"y\": a target must not be missing: fill it in, or leave the row "
            "out\n");
    refused("a,y\n\"1\"x,0\n1\"2,1\n\"5,1\n", NULL,
            ": line 2, column \"a\": text stands behind the closing quote\n"
            ": line 3, column \"a\": a quote stands inside a cell that does not begin with one\n"
            ": line 4, column \"a\": a quoted cell does not end: its closing quote is missing\n");
    refused("a,y\r1,2\r\n", NULL,
            ": line 1: a carriage return stands without a line feed: lines end in LF or CRLF\n");
    refused("a,b,a\n1,2,3\n", NULL, ": line 1: the columns 1 and 3 are both called \"a\"\n");
    refused("a,,y\n1,2,3\n", NULL, ": line 1: the name of column 2 must have 1 to 256 bytes\n");
    refused("a;b;y\n1;2;3\n", NULL,
            ": line 1: there must be at least two columns, an input and the target; are the cells "
            "separated by something else than commas?\n");
    refused("", NULL, ": the text is empty: its first line must name the columns\n");
    refused("a,y\n", NULL, ": there is no row behind the header\n");
    refused("age,class\n1,0\n", "klass",
            ": target: there is no column \"klass\"; did you mean \"class\"?\n");
    refused("age,class\n1,0\n", "price",
            ": target: there is no column \"price\"; the columns are \"age\", \"class\"\n");
    refused("a,b\n1,0\n", "a,b", ": target names every column: none is left as an input\n");
    refused("a,b,c\n1,0,1\n", "a,a", ": target names the column \"a\" twice\n");
    refused("a,b,c\n1,x,1\n", "b,c",
            ": line 2, column \"b\": several targets must all be numbers, not \"x\"\n");
    refused("a,y\n1,\xC3\x28\n", NULL, ": line 2: this is not UTF-8; the text must be UTF-8\n");
    refused_bytes("a,y\n1,\0002\n", 9, NULL,
                  ": line 2: a NUL byte is not text; the text must be UTF-8\n");
}

Test(intake_csv, a_regression_that_was_asked_for_has_numbers) {
    const char text[] = "a,y\n1,0\n2,x\n3,1\n";
    Source source = source_in_memory(text, sizeof text - 1);
    IntakeWish wish = {.name = "table", .task = "regression"};
    Issues issues;
    DatasetRow row = {0};
    issues_init(&issues);
    cr_assert_eq(intake_csv(directory, &source, &wish, &issues, &row), ERR_INVALID);
    cr_assert_str_eq(issues.items[0].detail,
                     "line 3, column \"y\": the targets of a regression must "
                     "all be numbers, not \"x\"");
    issues_finish(&issues);
    const char numbers[] = "a,y\n1,0\n2,1\n3,1\n";
    source = source_in_memory(numbers, sizeof numbers - 1);
    issues_init(&issues);
    cr_assert_eq(intake_csv(directory, &source, &wish, &issues, &row), OK);
    cr_assert_str_eq(row.task, "regression");
    dataset_row_finish(&row);
    issues_finish(&issues);
}

Test(intake_csv, cells_are_bounded_quoted_or_not) {
    for (int quoted = 0; quoted < 2; quoted++) {
        Text text;
        text_init(&text);
        text_add(&text, quoted ? "a,y\n1,0\n\"" : "a,y\n1,0\n");
        AUTO_FREE char *filler = memory_array((1 << 20) + 10, 1);
        memset(filler, 'x', (1 << 20) + 9);
        text_add(&text, filler);
        text_add(&text, "\n2,1\n3\n");
        refused(text_string(&text), NULL,
                quoted
                    ? ": line 3, column \"a\": a quoted cell has more than 1 MiB: is its closing "
                      "quote missing?\n"
                      ": line 5: has 1 cells where the header has 2: a missing value is an empty "
                      "cell, with its comma\n"
                    : ": line 3, column \"a\": a cell has more than 1 MiB: are the cells separated "
                      "by commas, and the lines by line feeds?\n"
                      ": line 5: has 1 cells where the header has 2: a missing value is an empty "
                      "cell, with its comma\n");
        text_finish(&text);
    }
}

// Characters of several bytes lie across the pieces in which a text is checked.
Test(intake_csv, utf8_is_checked_across_pieces) {
    for (size_t shift = 0; shift < 4; shift++) {
        for (int wrong = 0; wrong < 2; wrong++) {
            Text text;
            text_init(&text);
            text_add(&text, "a,y\n1,0\n2,1\n");
            size_t padding = (1 << 20) - text.length - 3 - shift;
            AUTO_FREE char *blanks = memory_array(padding + 1, 1);
            memset(blanks, '\n', padding);
            text_add(&text, blanks);
            text_add(&text, "3,x");
            text_add(&text, wrong ? "\xF0\x9F\x98!" : "\xF0\x9F\x98\x80");
            text_add(&text, "\n");
            Issues issues;
            DatasetRow row = {0};
            int result = take(text_string(&text), text.length, NULL, &issues, &row);
            cr_assert_eq(result, wrong ? ERR_INVALID : OK, "shift %zu", shift);
            dataset_row_finish(&row);
            issues_finish(&issues);
            text_finish(&text);
        }
    }
}

Test(intake_csv, categories_are_bounded) {
    Text text;
    text_init(&text);
    text_add(&text, "id,y\n");
    for (int i = 0; i < 300; i++) {
        text_add_format(&text, "row %d,%d\n", i, i % 2);
    }
    refused(text_string(&text), NULL,
            ": line 258, column \"id\": more than 256 different texts are too many for categories "
            "(line 2 has the first cell that is "
            "no number): leave the column out, or mend it\n");
    text_finish(&text);
}

Test(intake_csv, no_prefix_is_too_much) {
    const char text[] = "\xEF\xBB\xBF\"a\",b,y\r\n\"x\"\"z\",1.5e3,0\r\n,\xC3\xA9,1\r\n";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, text, cut);
        Issues issues;
        DatasetRow row = {0};
        int result = take(copy, cut, NULL, &issues, &row);
        cr_assert((result == OK) == (issues.count == 0));
        dataset_row_finish(&row);
        issues_finish(&issues);
        free(copy);
    }
}

Test(intake_csv, survives_the_failure_of_any_allocation) {
    const char text[] = "a,b,y\n1,red,no\n,\"bl\"\"ue\",yes\n";
    for (long nth = 1;; nth++) {
        Issues issues;
        DatasetRow row = {0};
        memory_fail_at(nth);
        int result = take(text, sizeof text - 1, NULL, &issues, &row);
        memory_fail_at(0);
        issues_finish(&issues);
        if (result == OK) {
            dataset_row_finish(&row);
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY, "allocation %ld gave %d", nth, result);
        cr_assert_eq(folder_files(true), 0, "allocation %ld left a file", nth);
    }
}
