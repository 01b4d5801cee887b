// Members of a dataset's body that several forms have.
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/intake_form.h"

bool body_given(const Body *body, const char *key) {
    ValueKind kind = value_kind(value_member(body->value, key));
    return kind != VALUE_MISSING && kind != VALUE_NULL;
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
        *ret_span = (Span){text, text + length};
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

// splits [rows]
static void read_split(const Body *body, Value list, const char *name, DatasetSplit split,
                       int64_t rows, uint8_t *splits) {
    char before[96];
    snprintf(before, sizeof before, "%s/splits/%s", body->prefix, name);
    if (value_kind(list) != VALUE_ARRAY) {
        issues_add_at(body->issues, before, "must be an array of row numbers, not %s",
                      value_kind_name(value_kind(list)));
        return;
    }
    Place place = {.before = before, .after = ""};
    VALUE_FOREACH(item, list) {
        int64_t row;
        if (!value_integer(item, 0, rows - 1, &row)) {
            place_issue(&place, NULL, 0, body->issues, "must be a row number from 0 to %lld",
                        (long long)rows - 1);
        } else if (splits[row] != SPLIT_UNKNOWN) {
            place_issue(&place, NULL, 0, body->issues, "row %lld is in \"%s\" already",
                        (long long)row, split_names[splits[row]].name);
        } else {
            splits[row] = (uint8_t)split;
        }
        place.row++;
    }
}

// Rows of no list train, where no list says who does; else they are missing.
static void settle_splits(const Body *body, bool train_listed, int64_t rows, uint8_t *splits) {
    int64_t trained = 0;
    for (int64_t row = 0; row < rows; row++) {
        if (splits[row] == SPLIT_UNKNOWN && train_listed) {
            BODY_ISSUE(body, "splits", "row %lld is in none of the lists", (long long)row);
            return;
        }
        if (splits[row] == SPLIT_UNKNOWN) {
            splits[row] = SPLIT_TRAIN;
        }
        trained += splits[row] == SPLIT_TRAIN;
    }
    if (trained == 0) {
        BODY_ISSUE(body, "splits", "must leave at least one row to train on");
    }
}

int body_splits(const Body *body, int64_t rows, uint8_t **ret_splits) {
    *ret_splits = NULL;
    Value value = value_member(body->value, "splits");
    if (!body_given(body, "splits")) {
        return OK;
    }
    if (value_kind(value) != VALUE_OBJECT) {
        BODY_ISSUE(body, "splits",
                   "must be an object of \"train\", \"validation\" and \"test\", not %s",
                   value_kind_name(value_kind(value)));
        return OK;
    }
    uint8_t *splits = memory_array((size_t)rows, 1);
    if (splits == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(splits, SPLIT_UNKNOWN, (size_t)rows);
    bool train_listed = false;
    VALUE_FOREACH(list, value) {
        size_t i = 0;
        while (i < ARRAY_LENGTH(split_names) && strcmp(split_names[i].name, value_key(list)) != 0) {
            i++;
        }
        if (i == ARRAY_LENGTH(split_names)) {
            Path dataset = {.key = "dataset"};
            Path up = {.up = *body->prefix != '\0' ? &dataset : NULL, .key = "splits"};
            issues_add(body->issues, PATH_KEY(&up, value_key(list)),
                       "unknown key; splits are \"train\", \"validation\" and \"test\"");
            continue;
        }
        train_listed |= split_names[i].split == SPLIT_TRAIN;
        read_split(body, list, split_names[i].name, split_names[i].split, rows, splits);
    }
    settle_splits(body, train_listed, rows, splits);
    *ret_splits = splits;
    return OK;
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
