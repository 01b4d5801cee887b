// Members of a dataset's body that several forms have.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/intake_form.h"

bool body_given(const Body *body, const char *key) {
    ValueKind kind = value_kind(value_member(body->value, key));
    return (kind != VALUE_MISSING && kind != VALUE_NULL) || arrays_find(body->arrays, key) != NULL;
}

const char *body_string(const Body *body, const char *key, size_t maximum) {
    Value value = value_member(body->value, key);
    if (!body_given(body, key)) {
        return NULL;
    }
    const char *text = value_string(value);
    if (text == NULL) {
        BODY_ISSUE(body, key, "must be a string, not %s", value_kind_name(value_kind(value)));
    } else if (*text == '\0' || strlen(text) > maximum) {
        BODY_ISSUE(body, key, "must have 1 to %zu bytes", maximum);
    }
    return text;
}

void body_integer(const Body *body, const char *key, int64_t minimum, int64_t maximum,
                  int64_t *number) {
    if (body_given(body, key) &&
        !value_integer(value_member(body->value, key), minimum, maximum, number)) {
        BODY_ISSUE(body, key, "must be a whole number from %lld to %lld", (long long)minimum,
                   (long long)maximum);
    }
}

int body_names(const Body *body, const char *key, Names *names) {
    Value list = value_member(body->value, key);
    if (!body_given(body, key)) {
        return OK;
    }
    if (value_kind(list) != VALUE_ARRAY) {
        BODY_ISSUE(body, key, "must be an array of strings, not %s",
                   value_kind_name(value_kind(list)));
        return OK;
    }
    Pointer pointer = body_pointer(body, key);
    Place place = {.before = pointer.text, .after = ""};
    VALUE_FOREACH(item, list) {
        const char *text = value_string(item);
        size_t before = names->count;
        int32_t index;
        int result = OK;
        if (text == NULL || *text == '\0' || strlen(text) > TARGETS_NAME_MAX) {
            place_issue(&place, NULL, 0, body->issues, "must be a string of 1 to %d bytes",
                        TARGETS_NAME_MAX);
        } else {
            result = names_add(names, text, strlen(text), SIZE_MAX, &index);
            if (result == OK && names->count == before) {
                place_issue(&place, NULL, 0, body->issues, "\"%s\" stands twice", text);
            }
        }
        if (result != OK) {
            return result;
        }
        place.row++;
    }
    return OK;
}

bool body_span(const Body *body, const char *key, const char *items, Span *ret_span) {
    ValueKind kind = value_kind(value_member(body->value, key));
    const char *text;
    size_t length;
    if (kind == VALUE_MISSING || kind == VALUE_NULL) {
        BODY_ISSUE(body, key, "is required");
    } else if (kind != VALUE_ARRAY ||
               !document_lifted(body->document, body_pointer(body, key).text, &text, &length)) {
        BODY_ISSUE(body, key, "must be an array with an item for each %s, not %s", items,
                   value_kind_name(kind));
    } else {
        *ret_span = (Span){.at = text,
                           .end = text + length,
                           .passed = document_mapped(body->document) ? text : NULL};
        return true;
    }
    return false;
}

// ---- splits ----

static const struct {
    const char *name;
    DatasetSplit split;
} split_names[] = {{"train", SPLIT_TRAIN}, {"validation", SPLIT_VALIDATION}, {"test", SPLIT_TEST}};

enum { SPLIT_UNKNOWN = 255 };

// What the lists are read into: rows of a table, or nodes of which `missing` tells who has no target.
typedef struct SplitReading {
    const Body *body;
    int64_t rows;
    const uint8_t *missing; // NULL: rows, which all have one
    uint8_t *splits;        // [rows]
} SplitReading;

static const char *noun(const SplitReading *reading) {
    return reading->missing != NULL ? "node" : "row";
}

static void read_split(const SplitReading *reading, Value list, const char *name,
                       DatasetSplit split) {
    const Body *body = reading->body;
    char before[sizeof(Pointer)];
    snprintf(before, sizeof before, "%s/splits/%s", body->prefix, name);
    if (value_kind(list) != VALUE_ARRAY) {
        issues_add_at(body->issues, before, "must be an array of %s numbers, not %s", noun(reading),
                      value_kind_name(value_kind(list)));
        return;
    }
    Place place = {.before = before, .after = ""};
    VALUE_FOREACH(item, list) {
        int64_t row;
        if (!value_integer(item, 0, reading->rows - 1, &row)) {
            place_issue(&place, NULL, 0, body->issues, "must be a %s number from 0 to %lld",
                        noun(reading), (long long)reading->rows - 1);
        } else if (reading->splits[row] != SPLIT_UNKNOWN) {
            place_issue(&place, NULL, 0, body->issues, "%s %lld is in \"%s\" already",
                        noun(reading), (long long)row, split_names[reading->splits[row]].name);
        } else if (reading->missing != NULL && reading->missing[row]) {
            place_issue(&place, NULL, 0, body->issues, "node %lld has no target", (long long)row);
        } else {
            reading->splits[row] = (uint8_t)split;
        }
        place.row++;
    }
}

// Rows of no list train, where no list says who does; else they are missing. Nodes then are in no split.
static void settle_splits(const SplitReading *reading, bool train_listed) {
    const Body *body = reading->body;
    int64_t trained = 0;
    for (int64_t row = 0; row < reading->rows; row++) {
        uint8_t *split = &reading->splits[row];
        bool missing = reading->missing != NULL && reading->missing[row];
        if (*split == SPLIT_UNKNOWN && train_listed && reading->missing == NULL) {
            BODY_ISSUE(body, "splits", "row %lld is in none of the lists", (long long)row);
            return;
        }
        if (*split == SPLIT_UNKNOWN) {
            *split = train_listed || missing ? SPLIT_NONE : SPLIT_TRAIN;
        }
        trained += *split == SPLIT_TRAIN;
    }
    if (trained == 0) {
        BODY_ISSUE(body, "splits", "must leave at least one %s to train on", noun(reading));
    }
}

// The lists of the object; whether "train" is among them.
static bool read_lists(const SplitReading *reading, Value object) {
    const Body *body = reading->body;
    bool train_listed = false;
    VALUE_FOREACH(list, object) {
        size_t i = 0;
        while (i < ARRAY_LENGTH(split_names) && strcmp(split_names[i].name, value_key(list)) != 0) {
            i++;
        }
        if (i == ARRAY_LENGTH(split_names)) {
            issues_add(body->issues, PATH_KEY(PATH_KEY(body->path, "splits"), value_key(list)),
                       "unknown key; splits are \"train\", \"validation\" and \"test\"");
            continue;
        }
        train_listed |= split_names[i].split == SPLIT_TRAIN;
        read_split(reading, list, split_names[i].name, split_names[i].split);
    }
    return train_listed;
}

static int read_splits(SplitReading *reading, uint8_t **ret_splits) {
    const Body *body = reading->body;
    Value value = value_member(body->value, "splits");
    *ret_splits = NULL;
    if (!body_given(body, "splits")) {
        return OK;
    }
    if (value_kind(value) != VALUE_OBJECT) {
        BODY_ISSUE(body, "splits",
                   "must be an object of \"train\", \"validation\" and \"test\", not %s",
                   value_kind_name(value_kind(value)));
        return OK;
    }
    reading->splits = memory_array((size_t)reading->rows, 1);
    if (reading->splits == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(reading->splits, SPLIT_UNKNOWN, (size_t)reading->rows);
    settle_splits(reading, read_lists(reading, value));
    *ret_splits = reading->splits;
    return OK;
}

bool body_has_test(const Body *body) {
    bool has_test = body_given(body, "test_inputs") || body_given(body, "test_targets");
    if (has_test && body_given(body, "splits")) {
        BODY_ISSUE(body, "splits", "give test_inputs and test_targets, or splits, not both");
    }
    return has_test;
}

int body_splits(const Body *body, int64_t rows, uint8_t **ret_splits) {
    SplitReading reading = {.body = body, .rows = rows};
    return read_splits(&reading, ret_splits);
}

int body_node_splits(const Body *body, int64_t nodes, const uint8_t *missing,
                     uint8_t **ret_splits) {
    SplitReading reading = {.body = body, .rows = nodes, .missing = missing};
    return read_splits(&reading, ret_splits);
}

// ---- targets ----

int body_class_names(const Body *body, Names *names) {
    int result = body_names(body, "class_names", names);
    if (names->count > TARGETS_CLASSES_MAX) {
        BODY_ISSUE(body, "class_names", "has more than %d names", TARGETS_CLASSES_MAX);
    }
    if (names->count > 0 && body->task != NULL && strcmp(body->task, "regression") == 0) {
        BODY_ISSUE(body, "class_names", "regression has no classes");
    }
    return result;
}

int body_targets(const Body *body, const char *key, const char *items, Targets *targets) {
    Span span;
    if (!body_span(body, key, items, &span)) {
        return OK;
    }
    Pointer pointer = body_pointer(body, key);
    Place place = {.before = pointer.text, .after = ""};
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        result = targets_take(targets, &span, &place, body->issues);
    }
    return result;
}

void body_match(const Body *body, const char *key, int64_t count, const char *rows_key,
                int64_t rows, size_t issues_before) {
    if (rows != count && (issues_before == body->issues->count || (rows > 0 && count > 0))) {
        BODY_ISSUE(body, key, "must have one item for each of the %lld rows of %s, not %lld",
                   (long long)rows, rows_key, (long long)count);
    }
}
