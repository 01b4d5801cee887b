// Datasets as JSON rows: {"inputs", "targets"} and what may stand beside them.
//
// Checked first: keys, names, task, the form. Then the rows stream out of the lifted text into the
// draft, those of the test split behind the others. All that is wrong is said at once, as far as it
// can be told.
#include "server/data/intake.h"
#include <stdio.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/dataset.h"
#include "server/data/draft.h"

enum { NAME_MAX_BYTES = 200 };

const char *const intake_lifted_top[] = {"/inputs", "/targets", "/test_inputs", "/test_targets",
                                         NULL};
const char *const intake_lifted_inline[] = {"/dataset/inputs", "/dataset/targets",
                                            "/dataset/test_inputs", "/dataset/test_targets", NULL};

static const char *const known_keys[] = {
    "name",         "task",      "inputs",        "targets",         "test_inputs",
    "test_targets", "splits",    "feature_names", "class_names",     "texts",
    "text",         "tokenizer", "max_length",    "vocabulary_size", "series",
    "window",       "horizon",   "columns",       "target_columns",  "transform",
    "graph",        "graphs",
};
// The last of these: keys of forms that cannot be taken in yet.
enum { KEYS_OF_ROWS = 9 };

typedef struct Body {
    const Document *document;
    Value value;
    const char *prefix; // "" or "/dataset"
    Issues *issues;
    Draft *draft;
    const char *name, *task; // NULL: not given
    Names class_names, feature_names;
    bool has_test;
} Body;

typedef struct Pointer {
    char text[96];
} Pointer;

static Pointer pointer_to(const Body *body, const char *key) {
    Pointer pointer;
    snprintf(pointer.text, sizeof pointer.text, "%s/%s", body->prefix, key);
    return pointer;
}

#define BODY_ISSUE(body, key, ...)                                                                 \
    issues_add_at((body)->issues, pointer_to((body), (key)).text, __VA_ARGS__)

// ---- the keys ----

static void issue_at_key(const Body *body, const char *key, const char *detail,
                         const char *nearest) {
    Path dataset = {.key = "dataset"};
    Path path = {.up = *body->prefix != '\0' ? &dataset : NULL, .key = key};
    if (nearest != NULL) {
        issues_add(body->issues, &path, "%s; did you mean \"%s\"?", detail, nearest);
    } else {
        issues_add(body->issues, &path, "%s", detail);
    }
}

static void check_keys(const Body *body) {
    VALUE_FOREACH(member, body->value) {
        const char *key = value_key(member);
        size_t known = 0;
        while (known < ARRAY_LENGTH(known_keys) && strcmp(known_keys[known], key) != 0) {
            known++;
        }
        if (known == ARRAY_LENGTH(known_keys)) {
            issue_at_key(body, key, "unknown key",
                         nearest_name(key, known_keys, ARRAY_LENGTH(known_keys)));
        } else if (known >= KEYS_OF_ROWS) {
            issue_at_key(body, key,
                         "this form of dataset is not available yet: send rows as \"inputs\" and "
                         "\"targets\"",
                         NULL);
        }
    }
}

static const char *read_string(const Body *body, const char *key, size_t maximum) {
    Value value = value_member(body->value, key);
    ValueKind kind = value_kind(value);
    if (kind == VALUE_MISSING || kind == VALUE_NULL) {
        return NULL;
    }
    const char *text = value_string(value);
    if (text == NULL) {
        BODY_ISSUE(body, key, "must be a string, not %s", value_kind_name(kind));
    } else if (*text == '\0' || strlen(text) > maximum) {
        BODY_ISSUE(body, key, "must have 1 to %zu bytes", maximum);
    }
    return text;
}

static void read_task(Body *body) {
    body->task = read_string(body, "task", NAME_MAX_BYTES);
    if (body->task == NULL) {
        return;
    }
    TaskKind kind;
    if (task_parse(body->task, &kind) != OK) {
        BODY_ISSUE(body, "task", "must be \"classification\" or \"regression\", not \"%s\"",
                   body->task);
    } else if (kind == TASK_LANGUAGE_MODEL) {
        BODY_ISSUE(body, "task", "a language model needs a text, a form that is not available yet");
    }
}

// An array of distinct strings.
static int read_names(const Body *body, const char *key, Names *names) {
    Value list = value_member(body->value, key);
    ValueKind kind = value_kind(list);
    if (kind == VALUE_MISSING || kind == VALUE_NULL) {
        return OK;
    }
    if (kind != VALUE_ARRAY) {
        BODY_ISSUE(body, key, "must be an array of strings, not %s", value_kind_name(kind));
        return OK;
    }
    Pointer pointer = pointer_to(body, key);
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

// ---- the rows ----

// The text of an array that was lifted; false, with an issue, where there is none.
static bool lifted_span(const Body *body, const char *key, Span *ret_span) {
    ValueKind kind = value_kind(value_member(body->value, key));
    const char *text;
    size_t length;
    if (kind == VALUE_MISSING || kind == VALUE_NULL) {
        BODY_ISSUE(body, key, "is required");
    } else if (kind != VALUE_ARRAY ||
               !document_lifted(body->document, pointer_to(body, key).text, &text, &length)) {
        BODY_ISSUE(body, key, "must be an array with an item for each row, not %s",
                   value_kind_name(kind));
    } else {
        *ret_span = (Span){text, text + length};
        return true;
    }
    return false;
}

static int take_rows(const Body *body, const char *key) {
    Span span;
    if (!lifted_span(body, key, &span)) {
        return OK;
    }
    Pointer pointer = pointer_to(body, key);
    Place place = {.before = pointer.text, .after = ""};
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        result = draft_take_row(body->draft, &span, &place);
    }
    if (result == OK && place.row == 0) {
        BODY_ISSUE(body, key, "must have at least one row");
    }
    return result;
}

static int take_targets(const Body *body, const char *key) {
    Span span;
    if (!lifted_span(body, key, &span)) {
        return OK;
    }
    Pointer pointer = pointer_to(body, key);
    Place place = {.before = pointer.text, .after = ""};
    int result = OK;
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        result = targets_take(&body->draft->targets, &span, &place, body->issues);
    }
    return result;
}

// One pair of inputs and targets, behind what the draft has already.
static int take_pair(const Body *body, const char *inputs, const char *targets) {
    Draft *draft = body->draft;
    int64_t rows_before = draft->rows;
    int64_t targets_before = draft->targets.rows;
    size_t issues_before = body->issues->count;
    int result = take_rows(body, inputs);
    if (result == OK) {
        result = take_targets(body, targets);
    }
    int64_t rows = draft->rows - rows_before;
    int64_t count = draft->targets.rows - targets_before;
    if (result == OK && rows != count &&
        (issues_before == body->issues->count || (rows > 0 && count > 0))) {
        BODY_ISSUE(body, targets, "must have one item for each of the %lld rows of %s, not %lld",
                   (long long)rows, inputs, (long long)count);
    }
    return result;
}

// ---- splits ----

static int make_splits(Body *body, uint8_t fill) {
    size_t rows = (size_t)body->draft->rows;
    body->draft->splits = memory_array(rows, 1);
    if (body->draft->splits == NULL) {
        return ERR_NO_MEMORY;
    }
    memset(body->draft->splits, fill, rows);
    return OK;
}

// Rows from `first` on are the test split.
static int split_test(Body *body, int64_t first) {
    int result = make_splits(body, SPLIT_TRAIN);
    if (result == OK) {
        memset(body->draft->splits + first, SPLIT_TEST, (size_t)(body->draft->rows - first));
    }
    return result;
}

static const struct {
    const char *name;
    DatasetSplit split;
} split_names[] = {{"train", SPLIT_TRAIN}, {"validation", SPLIT_VALIDATION}, {"test", SPLIT_TEST}};

enum { SPLIT_UNKNOWN = 255 };

static void read_split(Body *body, Value list, const char *name, DatasetSplit split) {
    uint8_t *splits = body->draft->splits;
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
        if (!value_integer(item, 0, body->draft->rows - 1, &row)) {
            place_issue(&place, NULL, 0, body->issues, "must be a row number from 0 to %lld",
                        (long long)body->draft->rows - 1);
        } else if (splits[row] != SPLIT_UNKNOWN) {
            place_issue(&place, NULL, 0, body->issues, "row %lld is in \"%s\" already",
                        (long long)row, split_names[splits[row]].name);
        } else {
            splits[row] = (uint8_t)split;
        }
        place.row++;
    }
}

static int read_splits(Body *body) {
    Value splits = value_member(body->value, "splits");
    if (value_kind(splits) != VALUE_OBJECT) {
        BODY_ISSUE(body, "splits",
                   "must be an object of \"train\", \"validation\" and \"test\", not %s",
                   value_kind_name(value_kind(splits)));
        return OK;
    }
    int result = make_splits(body, SPLIT_UNKNOWN);
    if (result != OK) {
        return result;
    }
    bool train_listed = false;
    VALUE_FOREACH(list, splits) {
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
        read_split(body, list, split_names[i].name, split_names[i].split);
    }
    int64_t trained = 0;
    for (int64_t row = 0; row < body->draft->rows; row++) {
        uint8_t *split = &body->draft->splits[row];
        if (*split == SPLIT_UNKNOWN && train_listed) {
            BODY_ISSUE(body, "splits", "row %lld is in none of the lists", (long long)row);
            return OK;
        }
        if (*split == SPLIT_UNKNOWN) {
            *split = SPLIT_TRAIN; // without a list of its own, training takes what the others leave
        }
        trained += *split == SPLIT_TRAIN;
    }
    if (trained == 0) {
        BODY_ISSUE(body, "splits", "must leave at least one row to train on");
    }
    return OK;
}

// ---- the whole ----

static bool given(const Body *body, const char *key) {
    ValueKind kind = value_kind(value_member(body->value, key));
    return kind != VALUE_MISSING && kind != VALUE_NULL;
}

static int name_features(Body *body) {
    Draft *draft = body->draft;
    if (body->feature_names.count == 0 || draft->writer == NULL) {
        return OK;
    }
    if (draft->shape.rank != 1 || draft->width != (int64_t)body->feature_names.count) {
        char text[SHAPE_TEXT];
        BODY_ISSUE(body, "feature_names", "has %zu names for rows of shape %s",
                   body->feature_names.count, shape_text(&draft->shape, text));
        return OK;
    }
    return columns_create(&body->feature_names, &draft->columns);
}

static int take_body(Body *body) {
    check_keys(body);
    body->name = read_string(body, "name", NAME_MAX_BYTES);
    read_task(body);
    int result = read_names(body, "class_names", &body->class_names);
    if (result == OK) {
        result = read_names(body, "feature_names", &body->feature_names);
    }
    if (body->class_names.count > TARGETS_CLASSES_MAX) {
        BODY_ISSUE(body, "class_names", "has more than %d names", TARGETS_CLASSES_MAX);
    }
    if (body->class_names.count > 0 && body->task != NULL &&
        strcmp(body->task, "regression") == 0) {
        BODY_ISSUE(body, "class_names", "regression has no classes");
    }
    body->has_test = given(body, "test_inputs") || given(body, "test_targets");
    if (body->has_test && given(body, "splits")) {
        BODY_ISSUE(body, "splits", "give test_inputs and test_targets, or splits, not both");
    }
    for (size_t i = KEYS_OF_ROWS; i < ARRAY_LENGTH(known_keys); i++) {
        if (result != OK || given(body, known_keys[i])) {
            return result; // another form: that inputs are missing would only confuse
        }
    }
    result = take_pair(body, "inputs", "targets");
    int64_t first_test = body->draft->rows;
    if (result == OK && body->has_test) {
        result = take_pair(body, "test_inputs", "test_targets");
    }
    if (result == OK) {
        result = name_features(body);
    }
    if (result != OK || issues_any(body->issues)) {
        return result;
    }
    return body->has_test          ? split_test(body, first_test)
           : given(body, "splits") ? read_splits(body)
                                   : OK;
}

int intake_json(int directory, const Document *document, Value value, const char *prefix,
                Issues *issues, DatasetRow *ret_row) {
    if (value_kind(value) != VALUE_OBJECT) {
        issues_add_at(issues, prefix, "a dataset must be an object, not %s",
                      value_kind_name(value_kind(value)));
        return ERR_INVALID;
    }
    Draft draft;
    draft_init(&draft, directory, issues);
    Body body = {
        .document = document, .value = value, .prefix = prefix, .issues = issues, .draft = &draft};
    int result = take_body(&body);
    if (result == OK) {
        Pointer targets = pointer_to(&body, "targets");
        Pointer task = pointer_to(&body, "task");
        TargetsWish wish = {.task = body.task,
                            .class_names = &body.class_names,
                            .pointer = targets.text,
                            .task_pointer = task.text};
        result = draft_seal(&draft, body.name, &wish, ret_row);
    }
    names_finish(&body.class_names);
    names_finish(&body.feature_names);
    draft_finish(&draft);
    return result;
}
