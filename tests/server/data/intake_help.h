// What the tests of intake share: a place for archives, and what the issues say in one text.
#pragma once
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/intake.h"
#include "server/data/rows.h"

static char folder[64];
static int directory = -1;

static void folder_make(void) {
    strcpy(folder, "/tmp/test_intake_XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(mkdirat(directory, "datasets", 0700), 0);
}

// How many files lie among the datasets; `empty` removes them.
static int folder_files(bool empty) {
    int inner = openat(directory, "datasets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fdopendir(inner);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(files)) != NULL;) {
        if (entry->d_name[0] != '.') {
            count++;
            if (empty) {
                unlinkat(inner, entry->d_name, 0);
            }
        }
    }
    closedir(files);
    return count;
}

static void folder_remove(void) {
    folder_files(true);
    unlinkat(directory, "datasets", AT_REMOVEDIR);
    close(directory);
    rmdir(folder);
}

// "pointer: detail\n" of each issue.
__attribute__((unused)) static char *issues_as_text(const Issues *issues) {
    Text text;
    text_init(&text);
    for (size_t i = 0; i < issues->count; i++) {
        text_add_format(&text, "%s: %s\n", issues->items[i].pointer, issues->items[i].detail);
    }
    return text.length > 0 ? text_take(&text) : memory_string("");
}

static Dataset *dataset_of(const DatasetRow *row) {
    char path[96];
    snprintf(path, sizeof path, "datasets/%s.bpa", row->id);
    Dataset *dataset = NULL;
    cr_assert_eq(dataset_open(directory, path, true, &dataset), OK);
    return dataset;
}

// The rows of a dataset as rows_write shows them.
__attribute__((unused)) static void expect_rows(const DatasetRow *row, const char *wanted) {
    Dataset *dataset = dataset_of(row);
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    rows_write(dataset, 0, 100, &out);
    json_end_object(&out);
    cr_assert_str_eq(text_string(&out.text), wanted);
    json_finish(&out);
    dataset_close(dataset);
}
