#include "tests/server/data/intake_json.h"

#define GRAPH_MAY_HAVE                                                                             \
    ", which may have \"name\", \"task\", \"splits\", \"class_names\", \"feature_names\"\n"
#define INPUTS_MAY_HAVE                                                                            \
    ", which may have \"name\", \"task\", \"targets\", \"test_inputs\", \"test_targets\", "        \
    "\"splits\", \"feature_names\", \"class_names\"\n"

TestSuite(intake, .init = folder_make, .fini = folder_remove);

Test(intake, rows_of_numbers_and_class_names) {
    DatasetRow row = taken("{\"name\":\"iris\",\"inputs\":[[5.1,3.5],[null,3],[4.5,2]],\"targets\":"
                           "[\"b\",\"a\",\"b\"]}");
    cr_assert_str_eq(row.name, "iris");
    cr_assert_str_eq(row.task, "classification");
    cr_assert_str_eq(row.input_shape, "[2]");
    cr_assert_str_eq(row.target_shape, "[]");
    cr_assert_str_eq(row.classes, "[\"a\",\"b\"]");
    cr_assert_eq(row.rows, 3);
    cr_assert_eq(strlen(row.sha256), 64u);
    cr_assert_eq(strncmp(row.id, "ds_", 3), 0);
    cr_assert_gt(row.bytes, 100);
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[5.1,3.5],\"target\":\"b\"},"
                      "{\"row\":1,\"input\":[null,3],\"target\":\"a\"},{\"row\":2,\"input\":[4.5,2]"
                      ",\"target\":\"b\"}]}");
    dataset_row_finish(&row);
}

Test(intake, images_keep_their_shape_and_numbers_become_classes_in_their_order) {
    DatasetRow row =
        taken("{\"inputs\":[[[1,2],[3,4]],[[5,6],[7,8]],[[0,0],[0,0]]],\"targets\":[10,9,-1]}");
    cr_assert_str_eq(row.input_shape, "[2, 2]");
    cr_assert_str_eq(row.classes, "[\"-1\",\"9\",\"10\"]");
    cr_assert_str_eq(row.name, row.id);
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[[1,2],[3,4]],\"target\":\"10\"},"
                      "{\"row\":1,\"input\":[[5,6],[7,8]],\"target\":\"9\"},{\"row\":2,\"input\":[["
                      "0,0],[0,0]],\"target\":\"-1\"}]}");
    dataset_row_finish(&row);
}

Test(intake, numbers_and_arrays_are_to_be_predicted) {
    DatasetRow row = taken("{\"inputs\":[1,2],\"targets\":[0.5,1]}");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.target_shape, "[1]");
    cr_assert_str_eq(row.input_shape, "[1]");
    cr_assert_str_eq(row.classes, "null");
    dataset_row_finish(&row);
    row = taken("{\"inputs\":[[1],[2]],\"targets\":[[0,1],[1,0]]}");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.target_shape, "[2]");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[1],\"target\":[0,1]},{\"row\":1,\"input\":"
                      "[2],\"target\":[1,0]}]}");
    dataset_row_finish(&row);
}

static char *many_targets(int distinct, const char *more) {
    Text text;
    text_init(&text);
    text_add(&text, "{\"inputs\":[0");
    for (int i = 1; i < distinct; i++) {
        text_add_format(&text, ",%d", i);
    }
    text_add(&text, "],\"targets\":[0");
    for (int i = 1; i < distinct; i++) {
        text_add_format(&text, ",%d", i * 3);
    }
    text_add_format(&text, "]%s}", more);
    return text_take(&text);
}

Test(intake, fifty_whole_numbers_are_classes_and_more_are_quantities) {
    AUTO_FREE char *fifty = many_targets(50, "");
    DatasetRow row = taken(fifty);
    cr_assert_str_eq(row.task, "classification");
    cr_assert_str_eq(row.findings, "[]");
    dataset_row_finish(&row);
    AUTO_FREE char *more = many_targets(51, "");
    row = taken(more);
    cr_assert_str_eq(row.task, "regression");
    cr_assert_not_null(
        strstr(row.findings, "\"code\":\"task_inferred\",\"severity\":\"info\",\"layer\":null"));
    dataset_row_finish(&row);
    AUTO_FREE char *told = many_targets(51, ",\"task\":\"classification\"");
    row = taken(told);
    cr_assert_str_eq(row.task, "classification");
    dataset_row_finish(&row);
    AUTO_FREE char *numbers = many_targets(3, ",\"task\":\"regression\"");
    row = taken(numbers);
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.findings, "[]");
    dataset_row_finish(&row);
}

Test(intake, class_names_order_strings_and_are_indexed_by_numbers) {
    DatasetRow row = taken("{\"inputs\":[1,2],\"targets\":[\"yes\",\"no\"],\"class_names\":[\"no\","
                           "\"yes\",\"perhaps\"]}");
    cr_assert_str_eq(row.classes, "[\"no\",\"yes\",\"perhaps\"]");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->classes[0], 1);
    cr_assert_eq(dataset->classes[1], 0);
    dataset_close(dataset);
    dataset_row_finish(&row);
    row =
        taken("{\"inputs\":[1,2],\"targets\":[2,0],\"class_names\":[\"no\",\"yes\",\"perhaps\"]}");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":[1],\"target\":\"perhaps\"},{\"row\":1,"
                      "\"input\":[2],\"target\":\"no\"}]}");
    dataset_row_finish(&row);
    refused("{\"inputs\":[1,2],\"targets\":[3,0],\"class_names\":[\"a\",\"b\"]}",
            "/targets: 3 is not an index of the 2 class_names\n");
    refused("{\"inputs\":[1,2],\"targets\":[\"c\",\"a\"],\"class_names\":[\"a\",\"b\"]}",
            "/targets: \"c\" is not one of class_names\n");
}

Test(intake, says_everything_that_is_wrong_with_its_place) {
    refused("{\"inputs\":[[1,2],[3],[4,\"x\"],5,[6,7,8],[true,1e39]],\"targets\":[0,1,null,\"a\",["
            "1],1]}",
            "/inputs/1: must have 2 items, not 1\n"
            "/inputs/2/1: must be a number or null, not a string\n"
            "/inputs/3: must be an array of 2 items, not a number\n"
            "/inputs/4: must have 2 items, not 3\n"
            "/inputs/5/0: must be a number or null, not a boolean\n"
            "/inputs/5/1: 1e+39 is beyond the range of single precision\n"
            "/targets/2: must be a string, a number or an array of numbers, not null\n"
            "/targets/3: must be a number like the first target, not a string\n"
            "/targets/4: must be a number like the first target, not an array\n");
    refused("{\"inputs\":[[[1,2]],[[1],[2]]],\"targets\":[0,1]}",
            "/inputs/1/0: must have 2 items, not 1\n/inputs/1: must have 1 items, not 2\n");
    refused("{\"inputs\":[1,2,3],\"targets\":[1,0]}",
            "/targets: must have one item for each of the 3 rows of inputs, not 2\n");
    refused("{\"inputs\":[[]],\"targets\":[1]}", "/inputs/0: must not be an empty array\n");
    refused("{\"inputs\":[],\"targets\":[]}", "/inputs: must have at least one row\n");
    refused("{}", "/inputs: is required, or one of \"texts\", \"text\", \"series\", "
                  "\"graph\", \"graphs\" in its place\n");
    refused("{\"inputs\":{},\"targets\":\"x\"}",
            "/inputs: must be an array with an item for each row, not an object\n"
            "/targets: must be an array with an item for each row, not a string\n");
    refused("{\"inputs\":[1,2],\"targets\":[[1],[null]]}",
            "/targets/1: a target must not have missing numbers\n");
    refused("{\"inputs\":[1,2],\"targets\":[\"a\",\"a\"]}",
            "/targets: there must be at least two classes, not 1\n");
    refused("{\"inputs\":[1,2],\"targets\":[\"a\",\"\"]}",
            "/targets/1: a class name must have 1 to 256 bytes, not 0\n");
}

Test(intake, unknown_keys_and_wrong_options_are_named) {
    refused("{\"input\":[1],\"nmae\":3,\"inputs\":[1,2],\"targets\":[0,1],\"x/y\":1}",
            "/input: unknown key; did you mean \"inputs\"?\n/nmae: unknown key; did you mean "
            "\"name\"?\n/x~1y: unknown key\n");
    refused(
        "{\"inputs\":[1,2],\"targets\":[0,1],\"name\":7,\"task\":\"clasification\",\"class_names\":"
        "[\"a\",\"a\",3],\"feature_names\":\"x\"}",
        "/name: must be a string, not a number\n"
        "/task: must be \"classification\", \"regression\" or \"language_model\", not "
        "\"clasification\"\n"
        "/class_names/1: \"a\" stands twice\n/class_names/2: must be a string of 1 to 256 bytes\n"
        "/feature_names: must be an array of strings, not a string\n");
    refused("{\"inputs\":[1,2],\"targets\":[\"a\",\"b\"],\"task\":\"regression\"}",
            "/task: regression needs numbers as targets, but they are strings\n");
    refused("{\"inputs\":[1,2],\"targets\":[0.5,1],\"task\":\"classification\"}",
            "/targets: classes are names or whole numbers, but target 0 is 0.5\n");
    refused("{\"inputs\":[[1,2]],\"targets\":[0],\"feature_names\":[\"a\"]}",
            "/feature_names: has 1 names for rows of shape [2]\n");
}

Test(intake, a_dataset_has_one_form_and_its_keys) {
    refused("{\"inputs\":[1,2],\"texts\":[\"a\"],\"targets\":[0,1],\"max_length\":3}",
            "/texts: does not belong to a dataset of \"inputs\"" INPUTS_MAY_HAVE
            "/max_length: does not belong to a dataset of \"inputs\"" INPUTS_MAY_HAVE);
    refused("{\"graph\":{\"nodes\":[1],\"edges\":[],\"targets\":[1]},\"max_length\":3}",
            "/max_length: does not belong to a dataset of \"graph\"" GRAPH_MAY_HAVE);
    refused("{\"inputs\":[1],\"targets\":[1],\"task\":\"language_model\"}",
            "/task: a language model needs a \"text\", not rows\n");
}

static void expect_splits(const char *text, const char *wanted) {
    DatasetRow row = taken(text);
    Dataset *dataset = dataset_of(&row);
    for (size_t i = 0; i < strlen(wanted); i++) {
        cr_assert_eq(dataset->splits[i], wanted[i] - '0', "row %zu", i);
    }
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake, splits_are_lists_or_a_test_set_of_its_own) {
    expect_splits("{\"inputs\":[1,2],\"targets\":[0,1],\"test_inputs\":[3],\"test_targets\":[1]}",
                  "002");
    expect_splits(
        "{\"inputs\":[1,2,3,4],\"targets\":[0,1,0,1],\"splits\":{\"test\":[1],\"validation\":[3]}}",
        "0201");
    expect_splits(
        "{\"inputs\":[1,2,3],\"targets\":[0,1,0],\"splits\":{\"train\":[2,0],\"test\":[1]}}",
        "020");
    refused("{\"inputs\":[1,2,3],\"targets\":[0,1,0],\"splits\":{\"train\":[0,3,0.5],\"test\":[0],"
            "\"tset\":[]}}",
            "/splits/train/1: must be a row number from 0 to 2\n/splits/train/2: must be a row "
            "number from 0 to 2\n"
            "/splits/test/0: row 0 is in \"train\" already\n"
            "/splits/tset: unknown key; splits are \"train\", \"validation\" and \"test\"\n"
            "/splits: row 1 is in none of the lists\n");
    refused("{\"inputs\":[1,2],\"targets\":[0,1],\"test_inputs\":[1]}",
            "/test_targets: is required\n");
    refused("{\"inputs\":[[1],[2]],\"targets\":[0,1],\"test_inputs\":[[1,2]],\"test_targets\":[0]}",
            "/test_inputs/0: must have 1 items, not 2\n");
    refused("{\"inputs\":[1,2],\"targets\":[0,1],\"splits\":{\"test\":[0,1]}}",
            "/splits: must leave at least one row to train on\n");
    refused("{\"inputs\":[1,2],\"targets\":[0,1],\"splits\":[],\"test_inputs\":[1],\"test_"
            "targets\":[1]}",
            "/splits: give test_inputs and test_targets, or splits, not both\n");
}

Test(intake, profiles_every_feature_and_class) {
    DatasetRow row = taken("{\"inputs\":[[1,7,null],[2,7,0.5],[4,7,0.5],[1,7,null]],\"targets\":["
                           "\"a\",\"b\",\"a\",\"a\"],"
                           "\"feature_names\":[\"x\",\"same\",\"half\"]}");
    cr_assert_str_eq(
        row.profile,
        "{\"features\":[{\"name\":\"x\",\"mean\":2,\"std\":1.224744871391589,\"min\":1,\"max\":4,"
        "\"missing\":0,\"distinct\":3},"
        "{\"name\":\"same\",\"mean\":7,\"std\":0,\"min\":7,\"max\":7,\"missing\":0,\"distinct\":1},"
        "{\"name\":\"half\",\"mean\":0.5,\"std\":0,\"min\":0.5,\"max\":0.5,\"missing\":2,"
        "\"distinct\":1}],"
        "\"classes\":[{\"name\":\"a\",\"count\":3},{\"name\":\"b\",\"count\":1}]}");
    cr_assert_not_null(strstr(row.findings, "\"code\":\"constant_feature\",\"severity\":\"info\""));
    cr_assert_not_null(
        strstr(row.findings, "\"evidence\":{\"count\":2,\"features\":[\"same\",\"half\"]}"));
    cr_assert_not_null(
        strstr(row.findings, "\"code\":\"missing_values\",\"severity\":\"warning\""));
    cr_assert_null(strstr(row.findings, "class_imbalance"));
    dataset_row_finish(&row);
}

Test(intake, warns_of_classes_that_are_ten_times_rarer) {
    DatasetRow row =
        taken("{\"inputs\":[1,2,3,4,5,6,7,8,9,10,11],\"targets\":[0,0,0,0,0,1,0,0,0,0,0]}");
    cr_assert_not_null(
        strstr(row.findings, "\"code\":\"class_imbalance\",\"severity\":\"warning\""));
    cr_assert_not_null(strstr(row.findings, "\"ratio\":10"));
    dataset_row_finish(&row);
}

Test(intake, survives_the_failure_of_any_allocation) {
    const char text[] =
        "{\"name\":\"n\",\"inputs\":[[1,2],[null,4],[5,6]],\"targets\":[\"a\",\"b\",\"a\"],"
        "\"feature_names\":[\"x\",\"y\"],\"class_names\":[\"b\",\"a\"],\"splits\":{\"test\":[1]}}";
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
