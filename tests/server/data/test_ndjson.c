#include "tests/server/data/intake_help.h"

TestSuite(ndjson, .init = folder_make, .fini = folder_remove);

static int take(const char *text, Issues *issues, DatasetRow *ret_row) {
    issues_init(issues);
    Source source = source_in_memory(text, strlen(text));
    return intake_ndjson(directory, &source, &(IntakeWish){.name = "lines"}, issues, ret_row);
}

static void refused(const char *text, const char *wanted) {
    Issues issues;
    DatasetRow row = {0};
    cr_assert_eq(take(text, &issues, &row), ERR_INVALID, "%s", text);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    issues_finish(&issues);
}

Test(ndjson, takes_a_row_from_each_line) {
    Issues issues;
    DatasetRow row = {0};
    cr_assert_eq(take("{\"input\":[1,2],\"target\":\"a\"}\r\n\n  {\"target\":\"b\", "
                      "\"\\u0069nput\" : [3,null] }\n",
                      &issues, &row),
                 OK);
    cr_assert_str_eq(row.name, "lines");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[1,2],\"target\":\"a\"},{\"row\":1,"
                      "\"input\":[3,null],\"target\":\"b\"}]}");
    dataset_row_finish(&row);
    issues_finish(&issues);
}

Test(ndjson, says_the_line_of_what_is_wrong) {
    refused("{\"input\":[1,2],\"target\":0}\n\n{\"input\":[1],\"target\":1}\n{\"input\":[1,2}\n[]"
            "\n{\"inputs\":[1,2],\"target\":1}\n{\"input\":[1,2]}",
            "/1/input: line 3: must have 2 items, not 1\n"
            "/2: line 4: line 1, column 14 (byte 13): expected ',' or ']', not '}'\n"
            "/3: line 5: must be an object with \"input\" and \"target\"\n"
            "/4: line 6: unknown key \"inputs\"; a row has \"input\" and \"target\", perhaps it is "
            "meant to be input\n"
            "/4/input: line 6: is required\n"
            "/5/target: line 7: is required\n");
    refused("\n \n", ": there is no row: each line is {\"input\": …, \"target\": …}\n");
}

Test(ndjson, survives_the_failure_of_any_allocation) {
    for (long nth = 1;; nth++) {
        Issues issues;
        DatasetRow row = {0};
        memory_fail_at(nth);
        int result =
            take("{\"input\":[1,2],\"target\":0}\n{\"input\":[1,2],\"target\":1}", &issues, &row);
        memory_fail_at(0);
        issues_finish(&issues);
        if (result == OK) {
            dataset_row_finish(&row);
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY);
    }
}
