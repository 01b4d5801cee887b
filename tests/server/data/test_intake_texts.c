#include "core/tokens/vocabulary.h"
#include "tests/server/data/intake_help.h"

#define TEXT_MAY_HAVE                                                                              \
    ", which may have \"name\", \"task\", \"test_inputs\", \"tokenizer\", \"vocabulary_size\"\n"
#define TEXTS_MAY_HAVE                                                                             \
    ", which may have \"name\", \"task\", \"targets\", \"test_inputs\", \"test_targets\", "        \
    "\"tokenizer\", \"max_length\", \"vocabulary_size\", \"splits\", \"class_names\"\n"

TestSuite(intake_texts, .init = folder_make, .fini = folder_remove);

static int take(const char *text, Issues *issues, DatasetRow *ret_row) {
    issues_init(issues);
    Document *document = NULL;
    int result = document_parse(text, strlen(text), intake_lifted_top, issues, &document);
    if (result == OK) {
        result = intake_json(directory, document, document_root(document), "", issues, ret_row);
    }
    document_destroy(document);
    return result;
}

static DatasetRow taken(const char *text) {
    Issues issues;
    DatasetRow row = {0};
    int result = take(text, &issues, &row);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_eq(result, OK, "%s", said);
    issues_finish(&issues);
    return row;
}

static void refused(const char *text, const char *wanted) {
    Issues issues;
    DatasetRow row = {0};
    cr_assert_eq(take(text, &issues, &row), ERR_INVALID, "%s", text);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    cr_assert_eq(folder_files(false), 0, "a refused dataset leaves no file");
    issues_finish(&issues);
}

static void expect_ids(const Dataset *dataset, int64_t row, const int32_t *wanted, int32_t length) {
    cr_assert_eq(dataset->lengths[row], length, "row %d", (int)row);
    for (int32_t t = 0; t < length; t++) {
        cr_assert_eq(dataset->tokens[dataset->starts[row] + t], wanted[t], "row %d, token %d",
                     (int)row, t);
    }
}

Test(intake_texts, words_get_numbers_by_how_often_they_come) {
    DatasetRow row =
        taken("{\"name\":\"sms\",\"texts\":[\"Free entry, FREE!\",\"\",\"see you "
              "entry\",\"\\u00c9t\\u00e9 free\"],\"targets\":[\"spam\",\"ham\",\"ham\",\"spam\"]}");
    cr_assert_str_eq(row.task, "classification");
    cr_assert_str_eq(row.input_shape, "[128]");
    cr_assert_str_eq(row.target_shape, "[]");
    cr_assert_str_eq(row.classes, "[\"ham\",\"spam\"]");
    cr_assert_eq(row.rows, 4);
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->task.vocabulary, 7);
    expect_ids(dataset, 0, (const int32_t[]){2, 3, 2}, 3);
    expect_ids(dataset, 1, NULL, 0);
    expect_ids(dataset, 2, (const int32_t[]){4, 5, 3}, 3);
    expect_ids(dataset, 3, (const int32_t[]){6, 2}, 2);
    dataset_close(dataset);
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"free entry free\",\"target\":\"spam\"},"
                      "{\"row\":1,\"input\":\"\",\"target\":\"ham\"},"
                      "{\"row\":2,\"input\":\"see you entry\",\"target\":\"ham\"},"
                      "{\"row\":3,\"input\":\"été free\",\"target\":\"spam\"}]}");
    dataset_row_finish(&row);
}

Test(intake_texts, a_bounded_vocabulary_keeps_the_most_frequent) {
    DatasetRow row = taken("{\"texts\":[\"a b c\",\"a b d\",\"a e f g\"],\"targets\":[1.5,2,3],"
                           "\"vocabulary_size\":4,\"max_length\":3}");
    cr_assert_str_eq(row.task, "regression");
    cr_assert_str_eq(row.input_shape, "[3]");
    cr_assert_str_eq(row.target_shape, "[1]");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"a b [UNK]\",\"target\":1.5},"
                      "{\"row\":1,\"input\":\"a b [UNK]\",\"target\":2},"
                      "{\"row\":2,\"input\":\"a [UNK] [UNK]\",\"target\":3}]}");
    cr_assert_not_null(strstr(row.findings, "\"code\":\"texts_cut\",\"severity\":\"warning\""));
    cr_assert_not_null(strstr(row.findings, "{\"texts\":1,\"max_length\":3,\"longest\":4}"));
    cr_assert_not_null(
        strstr(row.findings, "\"code\":\"unknown_tokens\",\"severity\":\"warning\""));
    dataset_row_finish(&row);
}

Test(intake_texts, what_is_only_in_the_test_rows_is_not_known) {
    DatasetRow row = taken("{\"texts\":[\"a\",\"b\",\"c\",\"d\"],\"targets\":[0,1,0,1],"
                           "\"splits\":{\"test\":[1],\"validation\":[2]}}");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"a\",\"target\":\"0\"},"
                      "{\"row\":1,\"input\":\"[UNK]\",\"target\":\"1\"},"
                      "{\"row\":2,\"input\":\"c\",\"target\":\"0\"},"
                      "{\"row\":3,\"input\":\"d\",\"target\":\"1\"}]}");
    dataset_row_finish(&row);
}

Test(intake_texts, characters_and_bytes) {
    DatasetRow row = taken("{\"texts\":[\"Aa\\u00e9\",\"a\"],\"targets\":[0,1],\"tokenizer\":"
                           "\"char\",\"max_length\":2}");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"Aa\",\"target\":\"0\"},"
                      "{\"row\":1,\"input\":\"a\",\"target\":\"1\"}]}");
    dataset_row_finish(&row);
    row = taken("{\"texts\":[\"a\\u00e9\",\"b\"],\"targets\":[0,1],\"tokenizer\":\"byte\"}");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->task.vocabulary, 257);
    expect_ids(dataset, 0, (const int32_t[]){'a' + 1, 0xC3 + 1, 0xA9 + 1}, 3);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_texts, are_profiled) {
    DatasetRow row = taken("{\"texts\":[\"a b a\",\"\",\"a\"],\"targets\":[\"x\",\"y\",\"x\"]}");
    cr_assert_str_eq(row.profile,
                     "{\"features\":[],\"classes\":[{\"name\":\"x\",\"count\":2},{\"name\":\"y\","
                     "\"count\":1}],\"lengths\":{\"mean\":1.3333333333333333,\"std\":"
                     "1.2472191289246473,\"min\":0,\"max\":3,\"empty\":1,\"cut\":0},"
                     "\"tokens\":{\"tokenizer\":\"word\",\"vocabulary\":4,\"distinct\":2,\"total\":"
                     "4,\"unknown\":0,\"most_frequent\":[{\"token\":\"a\",\"count\":3},"
                     "{\"token\":\"b\",\"count\":1}]}}");
    cr_assert_not_null(strstr(row.findings, "\"code\":\"empty_texts\",\"severity\":\"info\""));
    cr_assert_null(strstr(row.findings, "texts_cut"));
    cr_assert_null(strstr(row.findings, "unknown_tokens"));
    dataset_row_finish(&row);
}

Test(intake_texts, for_testing_stand_behind_the_others_and_count_for_no_vocabulary) {
    DatasetRow row = taken("{\"texts\":[\"a b\",\"b\"],\"targets\":[\"x\",\"y\"],"
                           "\"test_inputs\":[\"b new\"],\"test_targets\":[\"x\"]}");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->rows, 3);
    cr_assert_eq(dataset->task.vocabulary, 4); // padding, unknown, b, a
    expect_ids(dataset, 2, (const int32_t[]){2, 1}, 2);
    cr_assert_arr_eq(dataset->splits, ((const uint8_t[]){SPLIT_TRAIN, SPLIT_TRAIN, SPLIT_TEST}), 3);
    cr_assert_eq(dataset->classes[2], dataset->classes[0]);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_texts, for_testing_say_what_is_wrong_with_them) {
    refused("{\"texts\":[\"a\",\"b\"],\"targets\":[0,1],\"test_inputs\":[\"a\",5],"
            "\"splits\":{\"test\":[1]}}",
            "/splits: give test_inputs and test_targets, or splits, not both\n"
            "/test_inputs/1: must be a string, not a number\n/test_targets: is required\n");
    refused("{\"texts\":[\"a\",\"b\"],\"targets\":[0,1],\"test_inputs\":[\"a\",\"b\"],"
            "\"test_targets\":[1]}",
            "/test_targets: must have one item for each of the 2 rows of test_inputs, not 1\n");
}

Test(intake_texts, say_what_is_wrong_with_its_place) {
    refused("{\"texts\":[\"a\",3,null],\"targets\":[\"x\",\"y\"],\"tokenizer\":\"words\","
            "\"max_length\":0,\"vocabulary_size\":2}",
            "/tokenizer: must be \"word\", \"char\" or \"byte\", not \"words\"\n"
            "/vocabulary_size: must be a whole number from 3 to 1048576\n"
            "/max_length: must be a whole number from 1 to 1000000\n"
            "/texts/1: must be a string, not a number\n"
            "/texts/2: must be a string, not null\n"
            "/targets: must have one item for each of the 3 rows of texts, not 2\n");
    refused("{\"texts\":\"a\",\"targets\":[1,2]}",
            "/texts: must be an array with an item for each row, not a string\n");
    refused("{\"texts\":[\"a\"]}", "/targets: is required\n");
    refused("{\"texts\":[],\"targets\":[]}", "/texts: must have at least one text\n");
    refused("{\"texts\":[\"!\",\"?\"],\"targets\":[0,1]}",
            "/texts: have nothing in them that the tokenizer \"word\" knows\n");
    refused("{\"texts\":[\"a\",\"b\"],\"targets\":[0,1],\"feature_names\":[],\"text\":\"a\"}",
            "/feature_names: does not belong to a dataset of \"texts\"" TEXTS_MAY_HAVE
            "/text: does not belong to a dataset of \"texts\"" TEXTS_MAY_HAVE);
    refused("{\"texts\":[\"a\",\"b\"],\"targets\":[0,1],\"tokenizer\":\"byte\","
            "\"vocabulary_size\":100}",
            "/vocabulary_size: must be at least 257: padding and every byte; or leave it out\n");
    refused("{\"texts\":[\"a\",\"b\"],\"targets\":[0,1],\"splits\":{\"test\":[2]}}",
            "/splits/test/0: must be a row number from 0 to 1\n");
}

// ---- corpora ----

Test(intake_texts, a_corpus_is_its_characters_in_code_point_order) {
    DatasetRow row = taken("{\"text\":\"to b\\u00e9\\nor \\ud83c\\udf89 \\\"t\\\"\"}");
    cr_assert_str_eq(row.task, "language_model");
    cr_assert_eq(row.rows, 14);
    cr_assert_str_eq(row.input_shape, "[]");
    cr_assert_str_eq(row.target_shape, "[]");
    cr_assert_str_eq(row.classes, "null");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->task.vocabulary, 9); // \n, space, ", b, o, r, t, é, 🎉
    const uint8_t wanted[] = {6, 4, 1, 3, 7, 0, 4, 5, 1, 8, 1, 2, 6, 2};
    cr_assert_arr_eq(dataset->bytes, wanted, sizeof wanted);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    rows_write(dataset, 4, 2, &out);
    json_end_object(&out);
    cr_assert_str_eq(text_string(&out.text),
                     "{\"items\":[{\"row\":4,\"input\":\"é\",\"target\":\"\\n\"},"
                     "{\"row\":5,\"input\":\"\\n\",\"target\":\"o\"}]}");
    text_clear(&out.text);
    out.comma = false;
    json_begin_object(&out, NULL);
    rows_write(dataset, 13, 9, &out);
    json_end_object(&out);
    cr_assert_str_eq(text_string(&out.text),
                     "{\"items\":[{\"row\":13,\"input\":\"\\\"\",\"target\":null}]}");
    json_finish(&out);
    dataset_close(dataset);
    cr_assert_str_eq(row.profile,
                     "{\"features\":[],\"classes\":[],\"tokens\":{\"tokenizer\":\"char\","
                     "\"vocabulary\":9,\"distinct\":9,\"total\":14,\"unknown\":0,"
                     "\"most_frequent\":[{\"token\":\" \",\"count\":3},{\"token\":\"\\\"\","
                     "\"count\":2},{\"token\":\"o\",\"count\":2},{\"token\":\"t\",\"count\":2},"
                     "{\"token\":\"\\n\",\"count\":1},{\"token\":\"b\",\"count\":1},{\"token\":"
                     "\"r\",\"count\":1},{\"token\":\"é\",\"count\":1},{\"token\":\"🎉\","
                     "\"count\":1}]}}");
    dataset_row_finish(&row);
}

Test(intake_texts, a_corpus_of_many_characters_takes_wider_numbers) {
    Text text;
    text_init(&text);
    text_add(&text, "{\"text\":\"");
    for (uint32_t point = 0x4E00; point < 0x4E00 + 300; point++) {
        text_add_format(&text, "\\u%04x", point);
    }
    text_add(&text, "\"}");
    DatasetRow row = taken(text_string(&text));
    Dataset *dataset = dataset_of(&row);
    cr_assert_null(dataset->bytes);
    cr_assert_eq(dataset->tokens[299], 299);
    dataset_close(dataset);
    dataset_row_finish(&row);
    text_finish(&text);
}

Test(intake_texts, a_corpus_of_words_or_bytes) {
    DatasetRow row = taken("{\"text\":\"To be, or not to be.\",\"tokenizer\":\"word\","
                           "\"vocabulary_size\":5,\"task\":\"language_model\"}");
    cr_assert_eq(row.rows, 6);
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"to\",\"target\":\"be\"},"
                      "{\"row\":1,\"input\":\"be\",\"target\":\"[UNK]\"},"
                      "{\"row\":2,\"input\":\"[UNK]\",\"target\":\"not\"},"
                      "{\"row\":3,\"input\":\"not\",\"target\":\"to\"},"
                      "{\"row\":4,\"input\":\"to\",\"target\":\"be\"},"
                      "{\"row\":5,\"input\":\"be\",\"target\":null}]}");
    dataset_row_finish(&row);
    row = taken("{\"text\":\"a\\u00e9\",\"tokenizer\":\"byte\"}");
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->task.vocabulary, 256);
    cr_assert_arr_eq(dataset->bytes, "a\xC3\xA9", 3);
    dataset_close(dataset);
    dataset_row_finish(&row);
}

Test(intake_texts, a_corpus_may_have_a_text_for_testing) {
    DatasetRow row = taken("{\"text\":\"abba\",\"test_inputs\":\"cab\"}");
    cr_assert_eq(row.rows, 7);
    Dataset *dataset = dataset_of(&row);
    cr_assert_eq(dataset->text_tokens, 4);
    cr_assert_eq(dataset->task.vocabulary, 3, "its characters are the corpus's too");
    cr_assert_arr_eq(dataset->bytes, ((uint8_t[]){0, 1, 1, 0, 2, 0, 1}), 7);
    dataset_close(dataset);
    dataset_row_finish(&row);
    row = taken("{\"text\":\"to be\",\"test_inputs\":\"not be\",\"tokenizer\":\"word\"}");
    expect_rows(&row, "{\"items\":[{\"row\":0,\"input\":\"to\",\"target\":\"be\"},"
                      "{\"row\":1,\"input\":\"be\",\"target\":null},"
                      "{\"row\":2,\"input\":\"[UNK]\",\"target\":\"be\"},"
                      "{\"row\":3,\"input\":\"be\",\"target\":null}]}");
    dataset_row_finish(&row);
}

Test(intake_texts, a_corpus_says_what_is_wrong) {
    refused("{\"text\":\"ab\",\"test_inputs\":[\"ab\"]}",
            "/test_inputs: must be a string, not an array\n");
    refused("{\"text\":\"ab\",\"test_inputs\":\"a\"}",
            "/test_inputs: must have from 2 to 2147483647 tokens, not 1\n");
    refused("{\"text\":7}", "/text: must be a string, not a number\n");
    refused("{\"text\":\"a\"}", "/text: must have from 2 to 2147483647 tokens, not 1\n");
    refused("{\"text\":\"\"}", "/text: must have from 2 to 2147483647 tokens, not 0\n");
    refused("{\"text\":\"ab\",\"targets\":[1],\"vocabulary_size\":9,\"task\":\"regression\","
            "\"max_length\":4}",
            "/targets: does not belong to a dataset of \"text\"" TEXT_MAY_HAVE
            "/max_length: does not belong to a dataset of \"text\"" TEXT_MAY_HAVE
            "/task: must be \"language_model\" where \"text\" is a corpus, not \"regression\"\n"
            "/vocabulary_size: is for words; the vocabulary of a corpus of \"char\" tokens is what "
            "is in it\n");
}

static void survive(const char *text, int least) {
    int failures = 0;
    folder_files(true);
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
    cr_assert_gt(failures, least);
}

Test(intake_texts, survive_the_failure_of_any_allocation) {
    survive("{\"name\":\"n\",\"texts\":[\"a b\",\"c\",\"\"],\"targets\":[\"x\",\"y\",\"x\"],"
            "\"splits\":{\"test\":[1]},\"vocabulary_size\":3}",
            30);
    survive("{\"text\":\"to be or not\",\"tokenizer\":\"word\"}", 20);
}
