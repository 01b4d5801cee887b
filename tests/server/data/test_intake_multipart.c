#include "server/data/intake.h"
#include "tests/server/data/intake_help.h"

TestSuite(intake_multipart, .init = folder_make, .fini = folder_remove);

#define TYPE "multipart/form-data; boundary=xy"

typedef struct Form {
    Text body;
} Form;

static void form_add(Form *form, const char *name, const char *bytes, size_t length) {
    text_add_format(&form->body, "%s--xy\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n",
                    form->body.length > 0 ? "\r\n" : "", name);
    text_add_bytes(&form->body, bytes, length);
}

#define ADD(form, name, bytes) form_add(form, name, bytes, sizeof(bytes) - 1)
#define INPUTS "\0\0\x08\x02\0\0\0\x04\0\0\0\x02\x01\x02\x03\x04\x05\x06\x07\x08"
#define TARGETS "\0\0\x08\x01\0\0\0\x04\x03\x05\x05\x03"

static int send(Form *form, uint64_t unpacked_max, Issues *issues, DatasetRow *ret_row) {
    issues_init(issues);
    text_add(&form->body, "\r\n--xy--\r\n");
    Source source = source_in_memory(text_string(&form->body), form->body.length);
    int result = intake_multipart(directory, &source, TYPE, unpacked_max, issues, ret_row);
    text_finish(&form->body);
    return result;
}

static DatasetRow taken(Form *form) {
    Issues issues;
    DatasetRow row = {0};
    int result = send(form, 1 << 20, &issues, &row);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_eq(result, OK, "%s", said);
    issues_finish(&issues);
    return row;
}

static void refused(Form *form, int code, const char *wanted) {
    Issues issues;
    DatasetRow row = {0};
    int files = folder_files(false);
    cr_assert_eq(send(form, 64, &issues, &row), code, "%s", wanted);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    cr_assert_eq(folder_files(false), files, "a refused dataset leaves no file");
    issues_finish(&issues);
}

static DatasetRow taken_json(const char *text) {
    Issues issues;
    issues_init(&issues);
    Document *document;
    DatasetRow row = {0};
    cr_assert_eq(document_parse(text, strlen(text), intake_lifted_top, &issues, &document), OK);
    cr_assert_eq(intake_json(directory, document, document_root(document), "", &issues, &row), OK);
    document_destroy(document);
    issues_finish(&issues);
    return row;
}

// One archive, bit for bit, whichever way the rows came.
Test(intake_multipart, makes_the_dataset_that_json_makes) {
    Form form = {0};
    ADD(&form, "targets", TARGETS);
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "name", "four");
    DatasetRow row = taken(&form);
    DatasetRow json = taken_json(
        "{\"inputs\": [[1,2],[3,4],[5,6],[7,8]], \"targets\": [3,5,5,3], \"name\": \"four\"}");
    cr_assert_str_eq(row.name, "four");
    cr_assert_str_eq(row.task, "classification");
    cr_assert_str_eq(row.classes, "[\"3\",\"5\"]");
    cr_assert_str_eq(row.sha256, json.sha256);
    cr_assert_str_eq(row.profile, json.profile);
    dataset_row_finish(&row);
    dataset_row_finish(&json);

    form = (Form){0};
    ADD(&form, "test_inputs", "\0\0\x08\x02\0\0\0\x01\0\0\0\x02\x09\x09");
    ADD(&form, "test_targets", "\0\0\x09\x01\0\0\0\x01\x01");
    ADD(&form, "class_names", "[\"a\", \"b\"]");
    ADD(&form, "feature_names", "[\"x\", \"y\"]");
    ADD(&form, "task", "classification");
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "targets", "\0\0\x08\x01\0\0\0\x04\0\x01\0\x01");
    row = taken(&form);
    json = taken_json("{\"inputs\": [[1,2],[3,4],[5,6],[7,8]], \"targets\": [0,1,0,1], "
                      "\"test_inputs\": [[9,9]], \"test_targets\": [1], \"class_names\": [\"a\", "
                      "\"b\"], \"feature_names\": [\"x\", \"y\"]}");
    cr_assert_str_eq(row.sha256, json.sha256);
    dataset_row_finish(&row);
    dataset_row_finish(&json);

    form = (Form){0};
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "targets", "\0\0\x08\x02\0\0\0\x04\0\0\0\x01\x03\x05\x05\x03");
    ADD(&form, "splits", "{\"test\": [3]}");
    row = taken(&form);
    json = taken_json("{\"inputs\": [[1,2],[3,4],[5,6],[7,8]], \"targets\": [[3],[5],[5],[3]], "
                      "\"splits\": {\"test\": [3]}}");
    cr_assert_str_eq(row.sha256, json.sha256);
    cr_assert_str_eq(row.target_shape, json.target_shape);
    dataset_row_finish(&row);
    dataset_row_finish(&json);
}

Test(intake_multipart, says_every_mistake_at_its_part) {
    Form form = {0};
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "target", TARGETS);
    ADD(&form, "something", "x");
    ADD(&form, "name", "a");
    ADD(&form, "name", "b");
    ADD(&form, "class_names", "a, b");
    ADD(&form, "feature_names", "{}");
    ADD(&form, "task", "sorting");
    refused(&form, ERR_INVALID,
            "/target: unknown part; did you mean \"targets\"?\n"
            "/something: unknown part; there are inputs, targets, test_inputs, test_targets, name, "
            "task, class_names, feature_names and splits\n"
            "/name: this part stands twice\n"
            "/class_names: must be JSON, like [\"cat\", \"dog\"] for names: line 1, column 1 (byte "
            "0): expected a value, not 'a'\n"
            "/task: must be \"classification\", \"regression\" or \"language_model\", not "
            "\"sorting\"\n"
            "/feature_names: must be an array of strings, not an object\n"
            "/targets: is required: a part with an IDX or NPY file\n");
    form = (Form){0};
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "targets", "\0\0\x08\x01\0\0\0\x03\x03\x05\x05");
    refused(&form, ERR_INVALID,
            "/targets: must have one item for each of the 4 rows of inputs, not 3\n");
    form = (Form){0};
    ADD(&form, "inputs", INPUTS);
    ADD(&form, "targets", TARGETS);
    ADD(&form, "test_inputs", "\0\0\x08\x02\0\0\0\x01\0\0\0\x03\x09\x09\x09");
    ADD(&form, "test_targets", "\0\0\x08\x02\0\0\0\x01\0\0\0\x01\x03");
    refused(&form, ERR_INVALID,
            "/test_inputs: has rows of shape [3], but those of inputs have [2]\n"
            "/test_targets: must have rows like those of targets\n");
    form = (Form){0};
    ADD(&form, "inputs", "\0\0\x0d\x02\0\0\0\x01\0\0\0\x02\x7f\xc0\0\0\x7f\x80\0\0");
    ADD(&form, "targets", "\0\0\x0d\x01\0\0\0\x01\x7f\xc0\0\0");
    refused(&form, ERR_INVALID,
            "/inputs/0/1: inf is beyond the range of single precision\n"
            "/targets/0: a target must not be missing (nan)\n");
}

Test(intake_multipart, what_unpacks_to_too_much_is_too_large) {
    Form form = {0};
    ADD(&form, "inputs", "\0\0\x08\x01\0\0\0\xff");
    ADD(&form, "targets", TARGETS);
    refused(&form, ERR_TOO_LARGE,
            "/inputs: unpacks to more bytes than a body may have, which are for all parts "
            "together: post less, or start the server with a larger --max-body\n");
}

Test(intake_multipart, a_body_that_is_no_form_is_damaged) {
    Form form = {0};
    ADD(&form, "inputs", INPUTS);
    text_add(&form.body, "\r\n--xy\r\nnothing\r\n\r\n");
    refused(&form, ERR_DAMAGED,
            ": byte 83, part 2: a line of a part's head must be a header: NAME: VALUE\n");
}

Test(intake_multipart, survives_the_failure_of_any_allocation) {
    for (long nth = 1;; nth++) {
        Issues issues;
        DatasetRow row = {0};
        Form form = {0};
        ADD(&form, "inputs", INPUTS);
        ADD(&form, "targets", TARGETS);
        ADD(&form, "class_names", "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]");
        text_add(&form.body, "\r\n--xy--\r\n");
        Source source = source_in_memory(text_string(&form.body), form.body.length);
        issues_init(&issues);
        memory_fail_at(nth);
        int result = intake_multipart(directory, &source, TYPE, 1 << 20, &issues, &row);
        memory_fail_at(0);
        issues_finish(&issues);
        text_finish(&form.body);
        if (result == OK) {
            dataset_row_finish(&row);
            break;
        }
        cr_assert_eq(result, ERR_NO_MEMORY, "allocation %ld gave %d", nth, result);
        cr_assert_eq(folder_files(true), 0, "allocation %ld left a file", nth);
    }
}
