// The forms of JSON datasets: each is one file with one `const IntakeForm intake_form_NAME`, listed in intake.c. And what they
// share: members of the body read and checked, every issue at its pointer. For the files of server/data.
#pragma once
#include <stdio.h>
#include "server/data/intake.h"
#include "core/base/names.h"
#include "server/data/draft.h"
#include "server/data/targets.h"
#include "server/json/span.h"

enum { INTAKE_NAME_MAX = 200 }; // bytes of a dataset's name

// Members of a multipart body that are files of arrays.
typedef struct ArrayMember {
    const char *key;
    Source bytes;
} ArrayMember;
typedef struct Arrays {
    ArrayMember items[4]; // [count]
    size_t count;
    uint64_t *left; // bytes that they may unpack to
} Arrays;
const Source *arrays_find(const Arrays *arrays, const char *key); // NULL: not there; takes NULL

typedef struct Body {
    int directory;
    const Document *document;
    Value value;
    const char *prefix;   // "" or "/dataset"; of a graph within it "…/graph"
    const Path *path;     // the same as a path
    const Arrays *arrays; // of a multipart body; NULL: all is in `value`
    Issues *issues;
    const char *name, *task; // NULL: not given
} Body;

typedef struct IntakeForm {
    const char *key;           // the member that makes a dataset one of this form
    const char *const *others; // what may stand beside it, but "name" and "task"; NULL-terminated
    // Keys, name and task are checked already. Takes all of the body and, without issues, makes the archive and the row.
    // ERR_INVALID with issues; ERR_IO; ERR_NO_MEMORY.
    int (*take)(const Body *body, DatasetRow *ret_row);
} IntakeForm;

typedef struct Pointer {
    char text[96];
} Pointer;

static inline Pointer body_pointer(const Body *body, const char *key) {
    Pointer pointer;
    snprintf(pointer.text, sizeof pointer.text, "%s/%s", body->prefix, key);
    return pointer;
}

#define BODY_ISSUE(body, key, ...)                                                                 \
    issues_add_at((body)->issues, body_pointer((body), (key)).text, __VA_ARGS__)

bool body_given(const Body *body, const char *key); // there, and not null
// NULL where it is not given; issues where it is no string of 1 to `maximum` bytes.
const char *body_string(const Body *body, const char *key, size_t maximum);
// *number stays as it is where it is not given; an issue where it is no whole number in the range.
void body_integer(const Body *body, const char *key, int64_t minimum, int64_t maximum,
                  int64_t *number);
// An array of distinct strings; empty where it is not given. ERR_NO_MEMORY.
int body_names(const Body *body, const char *key, Names *names);
// The text of an array that was lifted; false, with an issue, where there is none. `items`: what it has an item for.
bool body_span(const Body *body, const char *key, const char *items, Span *ret_span);
// Whether it has rows for testing of their own ("test_inputs", "test_targets"); an issue where "splits" stand beside them.
bool body_has_test(const Body *body);
// ret_splits [rows] of DatasetSplit (memory_free), as "splits" says; NULL where it is not given. ERR_NO_MEMORY.
int body_splits(const Body *body, int64_t rows, uint8_t **ret_splits);
// Likewise over nodes, some of which have no target: those may stand in no list, and others need not.
int body_node_splits(const Body *body, int64_t nodes, const uint8_t *missing, uint8_t **ret_splits);

// ---- multipart: the arrays of rows, in place of the lifted ones ----

// Rows of the array file behind what the draft has. What is wrong with it is an issue; ERR_TOO_LARGE with one too; ERR_….
int body_array_inputs(const Body *body, const char *key, Draft *draft);
int body_array_targets(const Body *body, const char *key, Targets *targets);
// A dataset of rows of these arrays, with what the document's object says beside them.
int intake_arrays(int directory, const Document *document, const Arrays *arrays, Issues *issues,
                  DatasetRow *ret_row);

// ---- forms with targets ----

// "class_names", checked against the task. ERR_NO_MEMORY.
int body_class_names(const Body *body, Names *names);
// Appends the items of the array to the targets.
int body_targets(const Body *body, const char *key, const char *items, Targets *targets);
// An issue where there are not as many targets as `rows` of the member `rows_key`, unless something was wrong with either
// since there were `issues_before`.
void body_match(const Body *body, const char *key, int64_t count, const char *rows_key,
                int64_t rows, size_t issues_before);
