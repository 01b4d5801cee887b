// Reading parameters: every value against its ParamSpec, every error with its place, what must hold
// and what is there instead. Reading goes on after an error, so that all of them come at once.
#include <math.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/text.h"

static bool is_listed(const char *name, const char *const *names) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *article(const char *noun) {
    return strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

// ---- what must hold, and what is there instead ----

static bool in_bounds(const ParamSpec *spec, double number) {
    ParamBounds bounds = param_bounds(spec);
    return (spec->above_minimum ? number > bounds.lower : number >= bounds.lower) &&
           (spec->below_maximum ? number < bounds.upper : number <= bounds.upper);
}

// "a positive integer", "a number of at least 0 and below 1", …
static void add_number_rule(Text *text, const ParamSpec *spec) {
    ParamBounds bounds = param_bounds(spec);
    bool whole = spec->type != PARAM_NUMBER;
    if (whole && isinf(bounds.upper) && !spec->above_minimum && bounds.lower == 1) {
        text_add(text, "a positive integer");
        return;
    }
    text_add(text, whole ? "an integer" : "a number");
    if (isfinite(bounds.lower)) {
        text_add(text, spec->above_minimum ? " above " : " of at least ");
        text_add_format(text, whole ? "%.0f" : "%.15g", bounds.lower);
    }
    if (isfinite(bounds.upper)) {
        text_add(text, isfinite(bounds.lower) ? " and" : "");
        text_add(text, spec->below_maximum ? " below " : " at most ");
        text_add_format(text, whole ? "%.0f" : "%.15g", bounds.upper);
    }
}

static void add_names(Text *text, const char *const *names) {
    for (size_t i = 0; names[i] != NULL; i++) {
        text_add_format(text, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
    }
}

static void add_rule(Text *text, const ParamSpec *spec) {
    switch (spec->type) {
    case PARAM_INTEGER:
    case PARAM_NUMBER:
        add_number_rule(text, spec);
        if (spec->keyword != NULL) {
            text_add_format(text, " or \"%s\"", spec->keyword);
        }
        break;
    case PARAM_BOOLEAN:
        text_add(text, "true or false");
        break;
    case PARAM_CHOICE:
        text_add(text, "one of ");
        add_names(text, spec->choices);
        break;
    case PARAM_STRING:
        text_add(text, "a string");
        break;
    case PARAM_INTEGERS:
        add_number_rule(text, spec);
        text_add(text, " or a list of them");
        break;
    case PARAM_STRINGS:
        text_add(text, "a list of strings");
        break;
    case PARAM_ENTRY:
    case PARAM_ENTRIES:
        text_add_format(text, spec->type == PARAM_ENTRIES ? "a list, each %s %s" : "%s %s",
                        article(spec->registry->kind), spec->registry->kind);
        break;
    case PARAM_VALUE:
        text_add(text, spec->object == NULL ? spec->help
                       : spec->many         ? "a list of objects"
                                            : "an object");
        break;
    }
}

enum { QUOTED_BYTES_MAX = 60 };

static void add_found(Text *text, Value value) {
    const char *string = value_string(value);
    if (string != NULL) {
        size_t length = strnlen(string, QUOTED_BYTES_MAX + 1);
        bool whole = length <= QUOTED_BYTES_MAX;
        if (!whole) {
            length = QUOTED_BYTES_MAX;
            while (length > 0 && ((unsigned char)string[length] & 0xc0) == 0x80) {
                length--; // never cut inside a UTF-8 sequence
            }
        }
        text_add(text, "\"");
        text_add_bytes(text, string, length);
        text_add(text, whole ? "\"" : "…\"");
        return;
    }
    ValueKind kind = value_kind(value);
    if (kind == VALUE_NUMBER) {
        text_add_format(text, "%.15g", value_number(value));
    } else if (kind == VALUE_BOOLEAN) {
        text_add(text, value_boolean(value) ? "true" : "false");
    } else {
        text_add(text, value_kind_name(kind));
    }
}

static void add_broken_rule(Issues *issues, const Path *path, const ParamSpec *spec, Value value) {
    Text rule, found;
    text_init(&rule);
    text_init(&found);
    add_rule(&rule, spec);
    add_found(&found, value);
    issues_add(issues, path, "must be %s, not %s", text_string(&rule), text_string(&found));
    issues->failed |= rule.failed || found.failed;
    text_finish(&rule);
    text_finish(&found);
}

static void add_wrong_kind(Issues *issues, const Path *path, const char *rule, Value value) {
    Text found;
    text_init(&found);
    add_found(&found, value);
    issues_add(issues, path, "must be %s, not %s", rule, text_string(&found));
    issues->failed |= found.failed;
    text_finish(&found);
}

// ---- reading ----

// What a reading works with; it goes on after an error, so that all of them are found.
typedef struct Reading {
    Arena *arena;
    Issues *issues;
    int result; // OK, or the gravest error so far
} Reading;

static void note(Reading *reading, int result) {
    if (result != OK && reading->result != ERR_NO_MEMORY) {
        reading->result = result;
    }
}

static bool is_left_out(Value value) {
    ValueKind kind = value_kind(value);
    return kind == VALUE_MISSING || kind == VALUE_NULL;
}

static void reject(Reading *reading, const Path *path, const ParamSpec *spec, Value value) {
    add_broken_rule(reading->issues, path, spec, value);
    note(reading, ERR_INVALID);
}

static bool read_integer(const ParamSpec *spec, Value value, int64_t *ret_integer) {
    int64_t integer;
    if (!value_integer(value, INT64_MIN, INT64_MAX, &integer) ||
        !in_bounds(spec, (double)integer)) {
        return false;
    }
    *ret_integer = integer;
    return true;
}

static void read_integers(Reading *reading, const ParamSpec *spec, Value value, const Path *path,
                          IntegerList *ret_list) {
    bool is_array = value_kind(value) == VALUE_ARRAY;
    size_t count = is_array ? value_length(value) : 1;
    if (count == 0) {
        issues_add(reading->issues, path, "must hold at least one integer");
        note(reading, ERR_INVALID);
        return;
    }
    int64_t *items = arena_array(reading->arena, count, sizeof(int64_t));
    if (items == NULL) {
        note(reading, ERR_NO_MEMORY);
        return;
    }
    if (!is_array) {
        if (!read_integer(spec, value, items)) {
            reject(reading, path, spec, value);
        }
    } else {
        ParamSpec item_spec = *spec; // its rule without "or a list of them"
        item_spec.type = PARAM_INTEGER;
        size_t i = 0;
        VALUE_FOREACH(item, value) {
            if (!read_integer(spec, item, &items[i])) {
                reject(reading, PATH_INDEX(path, i), &item_spec, item);
            }
            i++;
        }
    }
    *ret_list = (IntegerList){items, count};
}

static void read_strings(Reading *reading, const ParamSpec *spec, Value value, const Path *path,
                         StringList *ret_list) {
    if (value_kind(value) != VALUE_ARRAY) {
        reject(reading, path, spec, value);
        return;
    }
    size_t count = value_length(value), i = 0;
    const char **items = arena_array(reading->arena, count, sizeof(char *));
    if (items == NULL) {
        note(reading, ERR_NO_MEMORY);
        return;
    }
    VALUE_FOREACH(item, value) {
        const char *string = value_string(item);
        if (string == NULL) {
            add_wrong_kind(reading->issues, PATH_INDEX(path, i), "a string", item);
            note(reading, ERR_INVALID);
        } else if ((items[i] = arena_string(reading->arena, string)) == NULL) {
            note(reading, ERR_NO_MEMORY);
        }
        i++;
    }
    *ret_list = (StringList){items, count};
}

static void read_choice(Reading *reading, const ParamSpec *spec, Value value, const Path *path,
                        const char **ret_choice) {
    const char *string = value_string(value);
    for (size_t i = 0; string != NULL && spec->choices[i] != NULL; i++) {
        if (strcmp(spec->choices[i], string) == 0) {
            *ret_choice = spec->choices[i];
            return;
        }
    }
    reject(reading, path, spec, value);
}

static void read_entries(Reading *reading, const ParamSpec *spec, Value value, const Path *path,
                         SelectionList *ret_list) {
    if (value_kind(value) != VALUE_ARRAY) {
        reject(reading, path, spec, value);
        return;
    }
    size_t count = value_length(value), i = 0;
    Selection *items = arena_array(reading->arena, count, sizeof(Selection));
    if (items == NULL) {
        note(reading, ERR_NO_MEMORY);
        return;
    }
    VALUE_FOREACH(item, value) {
        const Path *place = PATH_INDEX(path, i);
        if (is_left_out(item)) {
            ParamSpec item_spec = *spec; // its rule is that of one entry
            item_spec.type = PARAM_ENTRY;
            reject(reading, place, &item_spec, item);
        } else {
            note(reading, selection_read(spec->registry, NULL, item, place, reading->arena,
                                         reading->issues, &items[i]));
        }
        i++;
    }
    *ret_list = (SelectionList){items, count};
}

// The default of a parameter that was left out.
static void set_default(Reading *reading, const ParamSpec *spec, const Path *path, void *field) {
    switch (spec->type) {
    case PARAM_INTEGER:
        *(int64_t *)field = (int64_t)spec->default_number;
        break;
    case PARAM_NUMBER:
        *(double *)field = spec->default_number;
        break;
    case PARAM_BOOLEAN:
        *(bool *)field = spec->default_number != 0;
        break;
    case PARAM_CHOICE:
        *(const char **)field = spec->default_text != NULL ? spec->default_text : spec->choices[0];
        break;
    case PARAM_STRING:
        *(const char **)field = spec->default_text;
        break;
    case PARAM_INTEGERS:
        if (spec->default_number != 0) {
            int64_t *item = arena_new(reading->arena, int64_t);
            if (item == NULL) {
                note(reading, ERR_NO_MEMORY);
                return;
            }
            *item = (int64_t)spec->default_number;
            *(IntegerList *)field = (IntegerList){item, 1};
        }
        break;
    case PARAM_ENTRY:
        note(reading, selection_read(spec->registry, spec->default_text, VALUE_NONE, path,
                                     reading->arena, reading->issues, field));
        break;
    case PARAM_STRINGS:
    case PARAM_ENTRIES:
    case PARAM_VALUE:
        break; // empty, as the struct was made
    }
}

static void set_value(Reading *reading, const ParamSpec *spec, Value value, const Path *path,
                      void *field) {
    const char *string = value_string(value);
    bool is_keyword = spec->keyword != NULL && string != NULL && strcmp(string, spec->keyword) == 0;
    switch (spec->type) {
    case PARAM_INTEGER:
        if (is_keyword) {
            *(int64_t *)field = (int64_t)spec->keyword_number;
        } else if (!read_integer(spec, value, field)) {
            reject(reading, path, spec, value);
        }
        break;
    case PARAM_NUMBER:
        if (is_keyword) {
            *(double *)field = spec->keyword_number;
        } else if (value_kind(value) == VALUE_NUMBER && in_bounds(spec, value_number(value))) {
            *(double *)field = value_number(value);
        } else {
            reject(reading, path, spec, value);
        }
        break;
    case PARAM_BOOLEAN:
        if (value_kind(value) == VALUE_BOOLEAN) {
            *(bool *)field = value_boolean(value);
        } else {
            reject(reading, path, spec, value);
        }
        break;
    case PARAM_CHOICE:
        read_choice(reading, spec, value, path, field);
        break;
    case PARAM_STRING:
        if (string == NULL) {
            reject(reading, path, spec, value);
        } else if ((*(const char **)field = arena_string(reading->arena, string)) == NULL) {
            note(reading, ERR_NO_MEMORY);
        }
        break;
    case PARAM_INTEGERS:
        read_integers(reading, spec, value, path, field);
        break;
    case PARAM_STRINGS:
        read_strings(reading, spec, value, path, field);
        break;
    case PARAM_ENTRY:
        note(reading, selection_read(spec->registry, spec->default_text, value, path,
                                     reading->arena, reading->issues, field));
        break;
    case PARAM_ENTRIES:
        read_entries(reading, spec, value, path, field);
        break;
    case PARAM_VALUE:
        *(Value *)field = value;
        break;
    }
}

static bool has_param(const Desc *desc, const char *name) {
    for (size_t i = 0; i < desc->param_count; i++) {
        if (strcmp(desc->params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

// "did you mean …?" or all that there is, for a name that is not one of [count] known ones.
static void add_known(Text *text, const char *name, const char *const *names, size_t count,
                      size_t listed, const char *intro) {
    const char *nearest = nearest_name(name, names, count);
    if (nearest != NULL) {
        text_add_format(text, "; did you mean \"%s\"?", nearest);
        return;
    }
    text_add(text, intro);
    for (size_t i = 0; i < listed; i++) {
        text_add_format(text, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
    }
}

static void reject_unknown_key(Reading *reading, const Desc *desc, const Path *path,
                               const char *key, const char *const *also) {
    size_t count = desc->param_count, listed = desc->param_count;
    for (size_t i = 0; also != NULL && also[i] != NULL; i++) {
        count++;
    }
    const char **names = arena_array(reading->arena, count, sizeof(char *));
    if (names == NULL) {
        note(reading, ERR_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = i < listed ? desc->params[i].name : also[i - listed];
    }
    Text known;
    text_init(&known);
    add_known(&known, key, names, count, listed,
              listed > 0 ? ", which takes " : ", which takes no parameters");
    issues_add(reading->issues, PATH_KEY(path, key), "is not a key of \"%s\"%s", desc->name,
               text_string(&known));
    reading->issues->failed |= known.failed;
    text_finish(&known);
    note(reading, ERR_INVALID);
}

int params_read(const Desc *desc, Value object, const Path *path, const char *const *also,
                Arena *arena, Issues *issues, const void **ret_params) {
    Reading reading = {arena, issues, OK};
    if (!is_left_out(object) && value_kind(object) != VALUE_OBJECT) {
        add_wrong_kind(issues, path, "an object", object);
        return ERR_INVALID;
    }
    char *params = NULL;
    if (desc->params_size > 0 && (params = arena_array(arena, 1, desc->params_size)) == NULL) {
        return ERR_NO_MEMORY;
    }
    VALUE_FOREACH(member, object) {
        const char *key = value_key(member);
        if (!has_param(desc, key) && !is_listed(key, also)) {
            reject_unknown_key(&reading, desc, path, key, also);
        }
    }
    for (size_t i = 0; i < desc->param_count; i++) {
        const ParamSpec *spec = &desc->params[i];
        const Path *place = PATH_KEY(path, spec->name);
        Value value = value_member(object, spec->name);
        if (!is_left_out(value)) {
            set_value(&reading, spec, value, place, params + spec->offset);
        } else if (!spec->required) {
            set_default(&reading, spec, place, params + spec->offset);
        } else {
            Text rule;
            text_init(&rule);
            add_rule(&rule, spec);
            issues_add(issues, place, "is required: %s", text_string(&rule));
            issues->failed |= rule.failed;
            text_finish(&rule);
            note(&reading, ERR_INVALID);
        }
    }
    if (issues->failed) {
        return ERR_NO_MEMORY;
    }
    if (reading.result == OK) {
        *ret_params = params;
    }
    return reading.result;
}

static int reject_unknown_entry(const Registry *registry, Value name, const Path *path,
                                Arena *arena, Issues *issues) {
    size_t count = registry->count;
    for (size_t i = 0; i < registry->count; i++) {
        const char *const *alias = registry->entries[i]->aliases;
        for (; alias != NULL && *alias != NULL; alias++) {
            count++;
        }
    }
    const char **names = arena_array(arena, count, sizeof(char *));
    if (names == NULL) {
        return ERR_NO_MEMORY;
    }
    size_t filled = registry->count;
    for (size_t i = 0; i < registry->count; i++) {
        names[i] = registry->entries[i]->name;
        const char *const *alias = registry->entries[i]->aliases;
        for (; alias != NULL && *alias != NULL; alias++) {
            names[filled++] = *alias;
        }
    }
    Text found, known;
    text_init(&found);
    text_init(&known);
    add_found(&found, name);
    add_known(&known, value_string(name), names, count, registry->count, "; there are ");
    issues_add(issues, path, "%s is not %s %s%s", text_string(&found), article(registry->kind),
               registry->kind, text_string(&known));
    issues->failed |= found.failed || known.failed;
    text_finish(&found);
    text_finish(&known);
    return issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
}

int selection_read(const Registry *registry, const char *fallback, Value value, const Path *path,
                   Arena *arena, Issues *issues, Selection *ret_selection) {
    static const char *const type_key[] = {"type", NULL};
    const Path type_path = {.up = path, .key = "type"};
    const Path *name_path = path;
    Value name = value, object = VALUE_NONE;
    if (value_kind(value) == VALUE_OBJECT) {
        object = value;
        name_path = &type_path;
        name = value_member(value, "type");
        if (is_left_out(name)) {
            issues_add(issues, name_path, "is required: the name of %s %s", article(registry->kind),
                       registry->kind);
            return ERR_INVALID;
        }
    } else if (is_left_out(value) && fallback == NULL) {
        *ret_selection = (Selection){0};
        return OK;
    }
    const char *wanted = is_left_out(name) ? fallback : value_string(name);
    if (wanted == NULL) {
        bool is_type = name_path == &type_path;
        add_wrong_kind(issues, name_path,
                       is_type ? "a string" : "a name or an object with \"type\"", name);
        return ERR_INVALID;
    }
    Selection selection = {.desc = registry_find(registry, wanted)};
    if (selection.desc == NULL && is_left_out(name)) {
        return ERR_INTERNAL; // the table's own fallback is not in its registry
    }
    if (selection.desc == NULL) {
        return reject_unknown_entry(registry, name, name_path, arena, issues);
    }
    int result =
        params_read(selection.desc, object, path, type_key, arena, issues, &selection.params);
    if (result == OK) {
        *ret_selection = selection;
    }
    return result;
}
