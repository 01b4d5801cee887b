// Registries and parameter tables: finding entries, reading parameters with every error, writing
// them back.
//
// What params_write writes, params_read reads as the same parameters: left-out values are written
// as null, and null is read as left out.
#include "core/base/descriptor.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

// ---- names ----

enum { NAME_LENGTH_MAX = 63 }; // longer ones are never compared by distance

// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and
// swaps of neighbours, case ignored. Keeps the last three rows of the table.
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t rows[3][NAME_LENGTH_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        int a_letter = tolower((unsigned char)a[i - 1]);
        for (size_t j = 1; j <= b_length; j++) {
            int b_letter = tolower((unsigned char)b[j - 1]);
            size_t best = above[j - 1] + (a_letter != b_letter);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a_letter == tolower((unsigned char)b[j - 2]) &&
                b_letter == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[b_length];
}

// A name is near enough where at most a third of its letters differ, and at least one letter does
// not.
const char *nearest_name(const char *name, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t nearest_distance = 0, name_length = strlen(name);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (name_length > NAME_LENGTH_MAX || length > NAME_LENGTH_MAX) {
            continue;
        }
        size_t longer = name_length > length ? name_length : length;
        size_t distance = edit_distance(name, name_length, names[i], length);
        if (distance <= (longer + 2) / 3 && distance < longer &&
            (nearest == NULL || distance < nearest_distance)) {
            nearest = names[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}

static bool is_listed(const char *name, const char *const *names) {
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

const Desc *registry_find(const Registry *registry, const char *name) {
    for (size_t i = 0; i < registry->count; i++) {
        const Desc *desc = registry->entries[i];
        if (strcmp(desc->name, name) == 0 || is_listed(name, desc->aliases)) {
            return desc;
        }
    }
    return NULL;
}

// ---- writing ----

ParamBounds param_bounds(const ParamSpec *spec) {
    bool none = spec->minimum == 0 && spec->maximum == 0 && !spec->above_minimum;
    return (ParamBounds){
        .lower = none ? -INFINITY : spec->minimum,
        .upper = spec->maximum <= spec->minimum ? INFINITY : spec->maximum,
    };
}

double param_default(const ParamSpec *spec) {
    ParamBounds bounds = param_bounds(spec);
    double number = spec->default_number;
    bool is_keyword = spec->keyword != NULL && number == spec->keyword_number;
    bool fits = (spec->above_minimum ? number > bounds.lower : number >= bounds.lower) &&
                (spec->below_maximum ? number < bounds.upper : number <= bounds.upper);
    return is_keyword || fits ? number : NAN;
}

static void write_param(const ParamSpec *spec, const void *field, const ValueWriter *out) {
    const char *key = spec->name;
    switch (spec->type) {
    case PARAM_INTEGER: {
        int64_t integer = *(const int64_t *)field;
        if (integer == 0 && isnan(param_default(spec))) {
            write_null(out, key);
        } else if (spec->keyword != NULL && (double)integer == spec->keyword_number) {
            write_string(out, key, spec->keyword);
        } else {
            write_integer(out, key, integer);
        }
        break;
    }
    case PARAM_NUMBER: {
        double number = *(const double *)field;
        if (isnan(number)) {
            write_null(out, key);
        } else if (spec->keyword != NULL && number == spec->keyword_number) {
            write_string(out, key, spec->keyword);
        } else {
            write_number(out, key, number);
        }
        break;
    }
    case PARAM_BOOLEAN:
        write_boolean(out, key, *(const bool *)field);
        break;
    case PARAM_CHOICE:
    case PARAM_STRING:
        write_string(out, key, *(const char *const *)field);
        break;
    case PARAM_INTEGERS: {
        const IntegerList *list = field;
        if (list->items == NULL) {
            write_null(out, key);
        } else if (list->count == 1) {
            write_integer(out, key, list->items[0]);
        } else {
            write_begin_array(out, key);
            for (size_t i = 0; i < list->count; i++) {
                write_integer(out, NULL, list->items[i]);
            }
            write_end_array(out);
        }
        break;
    }
    case PARAM_STRINGS: {
        const StringList *list = field;
        if (list->items == NULL) {
            write_null(out, key);
        } else {
            write_begin_array(out, key);
            for (size_t i = 0; i < list->count; i++) {
                write_string(out, NULL, list->items[i]);
            }
            write_end_array(out);
        }
        break;
    }
    case PARAM_ENTRY:
        selection_write(*(const Selection *)field, key, out);
        break;
    case PARAM_ENTRIES: {
        const SelectionList *list = field;
        if (list->items == NULL) {
            write_null(out, key);
        } else {
            write_begin_array(out, key);
            for (size_t i = 0; i < list->count; i++) {
                selection_write(list->items[i], NULL, out);
            }
            write_end_array(out);
        }
        break;
    }
    case PARAM_VALUE:
        write_value(out, key, *(const Value *)field);
        break;
    }
}

void params_write(const Desc *desc, const void *params, const ValueWriter *out) {
    for (size_t i = 0; i < desc->param_count; i++) {
        write_param(&desc->params[i], (const char *)params + desc->params[i].offset, out);
    }
}

void selection_write(Selection selection, const char *key, const ValueWriter *out) {
    if (selection.desc == NULL) {
        write_null(out, key);
    } else if (selection.desc->param_count == 0) {
        write_string(out, key, selection.desc->name);
    } else {
        write_begin_object(out, key);
        write_string(out, "type", selection.desc->name);
        params_write(selection.desc, selection.params, out);
        write_end_object(out);
    }
}

static const char *type_name(ParamType type) {
    static const char *const names[] = {
        [PARAM_INTEGER] = "integer", [PARAM_NUMBER] = "number", [PARAM_BOOLEAN] = "boolean",
        [PARAM_CHOICE] = "choice",   [PARAM_STRING] = "string", [PARAM_INTEGERS] = "integers",
        [PARAM_STRINGS] = "strings", [PARAM_ENTRY] = "entry",   [PARAM_ENTRIES] = "entries",
        [PARAM_VALUE] = "value",
    };
    return names[type];
}

static void describe_default(const ParamSpec *spec, const ValueWriter *out) {
    double number = param_default(spec);
    switch (spec->type) {
    case PARAM_INTEGER:
    case PARAM_INTEGERS:
    case PARAM_NUMBER:
        if (isnan(number) || (spec->type == PARAM_INTEGERS && number == 0)) {
            write_null(out, "default");
        } else if (spec->keyword != NULL && number == spec->keyword_number) {
            write_string(out, "default", spec->keyword);
        } else if (spec->type == PARAM_NUMBER) {
            write_number(out, "default", number);
        } else {
            write_integer(out, "default", (int64_t)number);
        }
        break;
    case PARAM_BOOLEAN:
        write_boolean(out, "default", spec->default_number != 0);
        break;
    case PARAM_CHOICE:
        write_string(out, "default",
                     spec->default_text != NULL ? spec->default_text : spec->choices[0]);
        break;
    case PARAM_STRING:
    case PARAM_ENTRY:
        write_string(out, "default", spec->default_text);
        break;
    case PARAM_STRINGS:
    case PARAM_ENTRIES:
    case PARAM_VALUE:
        write_null(out, "default");
        break;
    }
}

static void describe_bounds(const ParamSpec *spec, const ValueWriter *out) {
    if (spec->type != PARAM_INTEGER && spec->type != PARAM_NUMBER && spec->type != PARAM_INTEGERS) {
        return;
    }
    ParamBounds bounds = param_bounds(spec);
    if (isfinite(bounds.lower)) {
        write_number(out, spec->above_minimum ? "exclusive_minimum" : "minimum", bounds.lower);
    }
    if (isfinite(bounds.upper)) {
        write_number(out, spec->below_maximum ? "exclusive_maximum" : "maximum", bounds.upper);
    }
}

void params_describe(const Desc *desc, const ValueWriter *out) {
    write_begin_array(out, "parameters");
    for (size_t i = 0; i < desc->param_count; i++) {
        const ParamSpec *spec = &desc->params[i];
        write_begin_object(out, NULL);
        write_string(out, "name", spec->name);
        write_string(out, "type", type_name(spec->type));
        write_boolean(out, "required", spec->required);
        if (!spec->required) {
            describe_default(spec, out);
        }
        describe_bounds(spec, out);
        if (spec->choices != NULL) {
            write_begin_array(out, "choices");
            for (size_t c = 0; spec->choices[c] != NULL; c++) {
                write_string(out, NULL, spec->choices[c]);
            }
            write_end_array(out);
        }
        if (spec->keyword != NULL) {
            write_string(out, "keyword", spec->keyword);
        }
        if (spec->registry != NULL) {
            write_string(out, "registry", spec->registry->kind);
        }
        if (spec->object != NULL) {
            write_string(out, "object", spec->object->name);
            write_boolean(out, "many", spec->many);
        }
        write_string(out, "help", spec->help);
        write_end_object(out);
    }
    write_end_array(out);
}
