#include <math.h>
#include "core/train/batches.h"
#include "server/data/windows.h"
#include "tests/server/data/intake_json.h"

#define SERIES_MAY_HAVE                                                                            \
    ", which may have \"name\", \"task\", \"window\", \"horizon\", \"columns\", "                  \
    "\"target_columns\", \"transform\", \"splits\", \"test_inputs\"\n"

TestSuite(intake_series, .init = folder_make, .fini = folder_remove);

Test(intake_series, windows_over_named_columns) {
    DatasetRow row = taken("{\"name\":\"w\",\"series\":[[1,10],[2,20],[3,30],[4,40],[5,50]],"
                           "\"window\":2,\"horizon\":2,\"columns\":[\"a\",\"b\"],"
                           "\"target_columns\":[\"b\",\"a\"]}");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_eq(row.rows, 2);
    cr_assert_str_eq(row.input_shape, "[2, 2]");
    cr_assert_str_eq(row.target_shape, "[2, 2]");
    cr_assert_str_eq(row.classes, "null");
    cr_assert_str_eq(
        row.profile,
        "{\"features\":[{\"name\":\"a\",\"mean\":3,\"std\":1.4142135623730951,\"min\":1,"
        "\"max\":5,\"missing\":0,\"distinct\":5},{\"name\":\"b\",\"mean\":30,\"std\":"
        "14.142135623730951,\"min\":10,\"max\":50,\"missing\":0,\"distinct\":5}],"
        "\"classes\":[]}");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[[1,10],[2,20]],\"target\":[30,3,40,4]},"
                      "{\"row\":1,\"input\":[[2,20],[3,30]],\"target\":[40,4,50,5]}]}");
    dataset_row_finish(&row);
}

Test(intake_series, one_column_may_go_without_brackets_and_numbers_be_missing) {
    DatasetRow row = taken("{\"series\":[1,2,null,4],\"window\":2}");
    cr_assert_str_eq(row.target_shape, "[1]");
    cr_assert_not_null(strstr(row.findings, "\"code\":\"missing_values\""));
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[[1],[2]],\"target\":null},"
                      "{\"row\":1,\"input\":[[2],[null]],\"target\":4}]}");
    dataset_row_finish(&row);
    row = taken("{\"series\":[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4]}");
    cr_assert_str_eq(row.input_shape, "[24, 1]", "a window of 24 and a horizon of 1");
    cr_assert_eq(row.rows, 1);
    dataset_row_finish(&row);
}

Test(intake_series, splits_are_lists_of_windows) {
    DatasetRow row = taken("{\"series\":[1,2,3,4,5],\"window\":2,\"splits\":{\"test\":[2]}}");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(memcmp(dataset->splits, (uint8_t[]){0, 0, 2}, 3), 0);
    dataset_close(dataset);
    dataset_row_finish(&row);
    refused("{\"series\":[1,2,3,4,5],\"window\":2,\"splits\":{\"test\":[3]}}",
            "/splits/test/0: must be a row number from 0 to 2\n");
}

Test(intake_series, a_second_series_is_for_testing_and_no_window_spans_both) {
    DatasetRow row = taken("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[5,6,7,8,9]}");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(row.rows, 7);
    cr_assert_eq(memcmp(dataset->splits, (uint8_t[]){0, 0, 3, 3, 2, 2, 2}, 7), 0);
    cr_assert_eq(memcmp(dataset->inputs, (float[]){1, 2, 3, 4, 5, 6, 7, 8, 9}, 9 * sizeof(float)),
                 0);
    dataset_close(dataset);
    dataset_row_finish(&row);
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[5,6]}",
            "/test_inputs: has 2 steps; a window of 2 and a horizon of 1 take at least 3\n");
    refused("{\"series\":[1,2],\"window\":2,\"test_inputs\":[5,6,7,8]}",
            "/series: has 2 steps; a window of 2 and a horizon of 1 take at least 3\n");
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[[5,6],[7,8],[9,10]]}",
            "/test_inputs/0: must have 1 items, not 2\n/test_inputs/1: must have 1 items, not 2\n"
            "/test_inputs/2: must have 1 items, not 2\n");
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[5,0,7],\"transform\":\"log\"}",
            "/test_inputs/1: must be above 0 for the transform \"log\", not 0\n");
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[]}",
            "/test_inputs: must have at least one step\n");
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[null,null,null]}",
            "/test_inputs: has no number: every step is missing\n");
    refused("{\"series\":[1,2,3,4],\"window\":2,\"test_inputs\":[5,6,7],\"splits\":{\"test\":[0]}}",
            "/splits: give test_inputs, or splits, not both\n");
}

Test(intake_series, says_what_is_wrong_with_its_place) {
    refused("{\"series\":[null,null,null,null],\"window\":2}",
            "/series: has no number: every step is missing\n");
    refused("{\"series\":[1,2,3],\"window\":3}",
            "/series: has 3 steps; a window of 3 and a horizon of 1 take at least 4\n");
    refused("{\"series\":[[1,2],[3,0],[-4,5],[6,7]],\"window\":2,\"transform\":\"log\"}",
            "/series/1/1: must be above 0 for the transform \"log\", not 0; 1 more are not\n");
    refused("{\"series\":[3,0,4,5],\"window\":2,\"transform\":\"log_difference\"}",
            "/series/1: must be above 0 for the transform \"log_difference\", not 0\n");
    refused("{\"series\":[3,2,4,5],\"window\":1,\"transform\":\"difference\"}",
            "/window: must be at least 2 for the transform \"difference\": one step has no "
            "difference\n");
    refused("{\"series\":[3,2,4,5],\"window\":0,\"horizon\":1.5,\"transform\":\"ln\",\"task\":"
            "\"classification\"}",
            "/window: must be a whole number from 1 to 2147483647\n"
            "/horizon: must be a whole number from 1 to 2147483647\n"
            "/transform: must be \"none\", \"log\", \"difference\" or \"log_difference\", not "
            "\"ln\"\n"
            "/task: a series is \"regression\", not \"classification\": its targets are numbers\n"
            "/series: has 4 steps; a window of 24 and a horizon of 1 take at least 25\n");
    refused("{\"series\":[[1,2],[3,4],[5,6]],\"window\":1,\"columns\":[\"temp\",\"wind\"],"
            "\"target_columns\":[\"tmep\",2,\"wind\",1,\"rain\"]}",
            "/target_columns/0: there is no column \"tmep\"; did you mean \"temp\"?\n"
            "/target_columns/1: must be a column's name, or its number from 0 to 1\n"
            "/target_columns/3: this column stands twice\n"
            "/target_columns/4: there is no column \"rain\"\n");
    refused("{\"series\":[[1,2],[3,4],[5,6]],\"window\":1,\"columns\":[\"a\"],\"target_columns\":"
            "[]}",
            "/columns: has 1 names for a series of 2 columns\n"
            "/target_columns: must be an array of at least one column\n");
    refused("{\"series\":[1,2,3],\"window\":1,\"target_columns\":[\"a\"]}",
            "/target_columns/0: \"a\" is no column: \"columns\" gives none a name\n");
    refused("{\"series\":[[[1]],[[2]]],\"window\":1}",
            "/series: must be a list of numbers, or of lists with a number for each column\n");
    refused("{\"series\":[]}", "/series: must have at least one step\n");
    refused("{\"series\":[1,2,[3,4]],\"window\":1,\"targets\":[1]}",
            "/targets: does not belong to a dataset of \"series\"" SERIES_MAY_HAVE
            "/series/2: must have 1 items, not 2\n");
}

// ---- windows of users ----

static const int32_t first_column[] = {0};

static int read_windows(const Forecast *forecast, const char *columns_text, const Shape *shape,
                        const char *text, const char *wanted, float **ret_inputs) {
    Columns *columns;
    Issues issues;
    int64_t windows = 0;
    issues_init(&issues);
    cr_assert_eq(columns_parse(columns_text, &columns), OK);
    int result = windows_read(forecast, columns, shape, text, strlen(text), "/inputs", &issues,
                              ret_inputs, &windows);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    issues_finish(&issues);
    columns_destroy(columns);
    return result;
}

Test(intake_series, windows_are_read_as_lists_objects_or_bare_numbers) {
    Forecast forecast = {TRANSFORM_NONE, 2, 1, first_column};
    const char *names =
        "[{\"name\":\"a\",\"kind\":\"number\"},{\"name\":\"b\",\"kind\":\"number\"}]";
    float *inputs;
    cr_assert_eq(read_windows(&forecast, names, &SHAPE(2, 2),
                              "[[[1,2],[3,4]],[{\"b\":6,\"a\":5},[7,null]]]", "", &inputs),
                 OK);
    for (int i = 0; i < 7; i++) {
        cr_assert_eq(inputs[i], (float)(i + 1));
    }
    cr_assert(isnan(inputs[7]));
    memory_free(inputs);
    forecast.columns = 1;
    cr_assert_eq(read_windows(&forecast, NULL, &SHAPE(2, 1), "[[1,2],[[3],[4]]]", "", &inputs), OK);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(inputs[i], (float)(i + 1));
    }
    memory_free(inputs);
}

Test(intake_series, windows_that_do_not_fit_are_named) {
    Forecast forecast = {TRANSFORM_LOG_DIFFERENCE, 1, 1, first_column};
    float *inputs;
    cr_assert_eq(read_windows(&forecast, NULL, &SHAPE(2, 1),
                              "[[1],7,[1,0],[null,null],[\"x\",1],[[1,2],[1]]]",
                              "/inputs/0: must have 2 steps, not 1\n"
                              "/inputs/1: must be an array of 2 steps, not a number\n"
                              "/inputs/2/1/0: must be above 0 for the transform "
                              "\"log_difference\", not 0\n"
                              "/inputs/3: must have a number in column 0, which the forecast "
                              "begins from (\"log_difference\")\n"
                              "/inputs/4/0: must be a number or null, not a string\n"
                              "/inputs/5/0: must have 1 items, not 2\n",
                              &inputs),
                 ERR_INVALID);
    cr_assert_eq(read_windows(&forecast, NULL, &SHAPE(2, 1), "[]",
                              "/inputs: must be an array of at least one row\n", &inputs),
                 ERR_INVALID);
}

Test(intake_series, survives_the_failure_of_any_allocation) {
    const char text[] = "{\"series\":[[1,2],[3,4],[5,6]],\"window\":1,\"columns\":[\"a\",\"b\"],"
                        "\"target_columns\":[\"b\"],\"splits\":{\"test\":[1]}}";
    int failures = 0;
    for (long nth = 1;; nth++) {
        Issues issues;
        DatasetRow row = {0};
        memory_fail_at(nth);
        int result = take(text, &issues, &row);
        memory_fail_at(0);
        issues_finish(&issues);
        if (result == OK) {
            dataset_row_finish(&row);
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY, "allocation %ld gave %d", nth, result);
        cr_assert_eq(folder_files(true), 0, "allocation %ld left a file", nth);
        failures++;
    }
    cr_assert_gt(failures, 30);
}
