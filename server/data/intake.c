// Datasets as JSON: which form a body has, and whether its keys are those of the form. The rest is the form's.
#include "server/data/intake.h"
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/model/task.h"
#include "server/data/intake_form.h"

const char *const intake_lifted_top[] = {"/inputs",
                                         "/targets",
                                         "/test_inputs",
                                         "/test_targets",
                                         "/series",
                                         "/texts",
                                         "/text",
                                         "/graphs",
                                         "/graph/nodes",
                                         "/graph/nodes/indices",
                                         "/graph/nodes/values",
                                         "/graph/edges",
                                         "/graph/targets",
                                         NULL};
const char *const intake_lifted_inline[] = {"/dataset/inputs",
                                            "/dataset/targets",
                                            "/dataset/test_inputs",
                                            "/dataset/test_targets",
                                            "/dataset/series",
                                            "/dataset/texts",
                                            "/dataset/text",
                                            "/dataset/graphs",
                                            "/dataset/graph/nodes",
                                            "/dataset/graph/nodes/indices",
                                            "/dataset/graph/nodes/values",
                                            "/dataset/graph/edges",
                                            "/dataset/graph/targets",
                                            NULL};

extern const IntakeForm intake_form_rows, intake_form_texts, intake_form_corpus, intake_form_series,
    intake_form_graph, intake_form_graphs;

static const IntakeForm *const forms[] = {&intake_form_rows,   &intake_form_texts,
                                          &intake_form_corpus, &intake_form_series,
                                          &intake_form_graph,  &intake_form_graphs};

static const char *const common_keys[] = {"name", "task"};

// ---- the keys ----

typedef struct Keys {
    const char *names[64];
    size_t count;
} Keys;

static void keys_add(Keys *keys, const char *key) {
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->names[i], key) == 0) {
            return;
        }
    }
    keys->names[keys->count++] = key;
}

static bool one_of(const char *key, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static size_t others_count(const IntakeForm *form) {
    size_t count = 0;
    while (form->others[count] != NULL) {
        count++;
    }
    return count;
}

// Every key of every form.
static void all_keys(Keys *keys) {
    *keys = (Keys){.count = 0};
    for (size_t i = 0; i < ARRAY_LENGTH(common_keys); i++) {
        keys_add(keys, common_keys[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        keys_add(keys, forms[i]->key);
        for (size_t k = 0; forms[i]->others[k] != NULL; k++) {
            keys_add(keys, forms[i]->others[k]);
        }
    }
}

// The first form whose key is there; NULL without any.
static const IntakeForm *find_form(const Body *body) {
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
        if (body_given(body, forms[i]->key)) {
            return forms[i];
        }
    }
    return NULL;
}

static void lacks_form(const Body *body) {
    Text others;
    text_init(&others);
    for (size_t i = 1; i < ARRAY_LENGTH(forms); i++) {
        text_add_format(&others, "%s\"%s\"", i == 1 ? "" : ", ", forms[i]->key);
    }
    BODY_ISSUE(body, forms[0]->key, "is required, or one of %s in its place", text_string(&others));
    body->issues->failed |= others.failed;
    text_finish(&others);
}

// A key that is another form's: what does belong to this one.
static void misplaced(const Body *body, const IntakeForm *form, const Path *path) {
    Text keys;
    text_init(&keys);
    for (size_t i = 0; form->others[i] != NULL; i++) {
        text_add_format(&keys, "%s\"%s\"", i == 0 ? "" : ", ", form->others[i]);
    }
    issues_add(body->issues, path,
               "does not belong to a dataset of \"%s\", which may have \"name\", \"task\", %s",
               form->key, text_string(&keys));
    body->issues->failed |= keys.failed;
    text_finish(&keys);
}

// form NULL: none is known, and every form's keys may be meant.
static void check_keys(const Body *body, const IntakeForm *form) {
    Keys keys;
    all_keys(&keys);
    VALUE_FOREACH(member, body->value) {
        const char *key = value_key(member);
        const Path path = {.up = body->path, .key = key};
        if (one_of(key, common_keys, ARRAY_LENGTH(common_keys)) ||
            (form != NULL &&
             (strcmp(key, form->key) == 0 || one_of(key, form->others, others_count(form))))) {
            continue;
        }
        const char *nearest = nearest_name(key, keys.names, keys.count);
        if (one_of(key, keys.names, keys.count)) {
            if (form != NULL) {
                misplaced(body, form, &path);
            }
        } else if (nearest != NULL) {
            issues_add(body->issues, &path, "unknown key; did you mean \"%s\"?", nearest);
        } else {
            issues_add(body->issues, &path, "unknown key");
        }
    }
}

static void read_task(Body *body) {
    TaskKind kind;
    body->task = body_string(body, "task", INTAKE_NAME_MAX);
    if (body->task != NULL && task_parse(body->task, &kind) != OK) {
        BODY_ISSUE(body, "task",
                   "must be \"classification\", \"regression\" or \"language_model\", not \"%s\"",
                   body->task);
    }
}

// The body's name and task are read, and its form takes the rest. form NULL: there is none.
static int take_form(Body *body, const IntakeForm *form, DatasetRow *ret_row) {
    body->name = body_string(body, "name", INTAKE_NAME_MAX);
    read_task(body);
    int result = OK;
    if (form != NULL) {
        result = form->take(body, ret_row);
    } else {
        lacks_form(body);
    }
    if (result == OK && issues_any(body->issues)) {
        result = body->issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    return result;
}

int intake_json(int directory, const Document *document, Value value, const char *prefix,
                Issues *issues, DatasetRow *ret_row) {
    if (value_kind(value) != VALUE_OBJECT) {
        issues_add_at(issues, prefix, "a dataset must be an object, not %s",
                      value_kind_name(value_kind(value)));
        return ERR_INVALID;
    }
    const Path dataset = {.key = "dataset"};
    Body body = {.directory = directory,
                 .document = document,
                 .value = value,
                 .prefix = prefix,
                 .path = *prefix != '\0' ? &dataset : NULL,
                 .issues = issues};
    const IntakeForm *form = find_form(&body);
    check_keys(&body, form);
    return take_form(&body, form, ret_row);
}

int intake_arrays(int directory, const Document *document, const Arrays *arrays, Issues *issues,
                  DatasetRow *ret_row) {
    Body body = {.directory = directory,
                 .document = document,
                 .value = document_root(document),
                 .prefix = "",
                 .arrays = arrays,
                 .issues = issues};
    return take_form(&body, &intake_form_rows, ret_row);
}
