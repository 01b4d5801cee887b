// Datasets as JSON, taken or refused, for the tests of their forms.
#pragma once
#include "tests/server/data/intake_help.h"

// inside: the dataset is the member "dataset" of the text.
static int take_from(const char *text, bool inside, Issues *issues, DatasetRow *ret_row) {
    issues_init(issues);
    Document *document = NULL;
    int result = document_parse(
        text, strlen(text), inside ? intake_lifted_inline : intake_lifted_top, issues, &document);
    if (result == OK) {
        Value root = document_root(document);
        result = intake_json(directory, document, inside ? value_member(root, "dataset") : root,
                             inside ? "/dataset" : "", issues, ret_row);
    }
    document_destroy(document);
    return result;
}

static int take(const char *text, Issues *issues, DatasetRow *ret_row) {
    return take_from(text, false, issues, ret_row);
}

static DatasetRow taken(const char *text) {
    Issues issues;
    DatasetRow row = {0};
    int result = take(text, &issues, &row);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_eq(result, OK, "%s", said);
    cr_assert_eq(issues.count, 0u);
    issues_finish(&issues);
    return row;
}

static void refused(const char *text, const char *wanted) {
    Issues issues;
    int files = folder_files(false);
    DatasetRow row = {0};
    cr_assert_eq(take(text, &issues, &row), ERR_INVALID, "%s", text);
    AUTO_FREE char *said = issues_as_text(&issues);
    cr_assert_str_eq(said, wanted);
    cr_assert_eq(folder_files(false), files, "a refused dataset leaves no file");
    issues_finish(&issues);
}
