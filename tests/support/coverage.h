// What a set of documents of the job language names: which entries of the registries, and of their
// parameters which are given, and which of the values where they can be counted. So a test can say that
// nothing is left out, also of what is added later.
#pragma once
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/text.h"

typedef struct Coverage {
    Text seen; // "\nKIND ENTRY\nKIND ENTRY.PARAM\nKIND ENTRY.PARAM=VALUE\n", each once
} Coverage;

enum { COVERAGE_NAME = 160 };

static inline bool coverage_has(const Coverage *coverage, const char *what) {
    char line[COVERAGE_NAME + 2];
    snprintf(line, sizeof(line), "\n%s\n", what);
    return strstr(text_string(&coverage->seen), line) != NULL;
}

static inline void coverage_add(Coverage *coverage, const char *what) {
    if (coverage_has(coverage, what))
        return;
    if (coverage->seen.length == 0)
        text_add_char(&coverage->seen, '\n');
    text_add(&coverage->seen, what);
    text_add_char(&coverage->seen, '\n');
}

// "value" of a parameter that has few of them; false: it has many.
static inline bool coverage_value(const ParamSpec *param, Value given, const char **ret_value) {
    bool missing = value_kind(given) == VALUE_MISSING;
    if (param->type == PARAM_BOOLEAN) {
        bool on = missing ? param->default_number != 0 : value_boolean(given);
        *ret_value = on ? "true" : "false";
        return true;
    }
    if (param->type != PARAM_CHOICE)
        return false;
    const char *fallback = param->default_text != NULL ? param->default_text : param->choices[0];
    *ret_value = missing ? fallback : value_string(given);
    return true;
}

static inline void coverage_note(Coverage *coverage, const Registry *registry, Value selection);

// Every layer of a list, those that they hold too.
static inline void coverage_layers(Coverage *coverage, const Registry *registry, Value layers) {
    VALUE_FOREACH(layer, layers) {
        coverage_note(coverage, registry, layer);
        coverage_layers(coverage, registry, value_member(layer, "layers"));
    }
}

// "name" or {"type": "name", parameters…}, and the entries that it chooses itself.
static inline void coverage_note(Coverage *coverage, const Registry *registry, Value selection) {
    bool object = value_kind(selection) == VALUE_OBJECT;
    const Desc *desc =
        registry_find(registry, value_string(object ? value_member(selection, "type") : selection));
    cr_assert_not_null(desc, "no such %s", registry->kind);
    char name[COVERAGE_NAME];
    snprintf(name, sizeof(name), "%s %s", registry->kind, desc->name);
    coverage_add(coverage, name);
    for (size_t i = 0; i < desc->param_count; i++) {
        const ParamSpec *param = &desc->params[i];
        Value given = object ? value_member(selection, param->name) : VALUE_NONE;
        const char *value;
        if (coverage_value(param, given, &value)) {
            snprintf(name, sizeof(name), "%s %s.%s=%s", registry->kind, desc->name, param->name,
                     value);
            coverage_add(coverage, name);
        } else if (value_kind(given) != VALUE_MISSING) {
            snprintf(name, sizeof(name), "%s %s.%s", registry->kind, desc->name, param->name);
            coverage_add(coverage, name);
        }
        if (param->type == PARAM_ENTRY && value_kind(given) != VALUE_MISSING)
            coverage_note(coverage, param->registry, given);
    }
}

static inline void coverage_expect(const Coverage *coverage, const char *what) {
    cr_expect(coverage_has(coverage, what), "nothing covers: %s", what);
}

// That every entry of a registry was met, each of its parameters given, and each with all of its
// values; of the parameters only those that matter (NULL: all do).
static inline void coverage_expect_all(const Coverage *coverage, const Registry *registry,
                                       bool (*matters)(const ParamSpec *param)) {
    char name[COVERAGE_NAME];
    for (size_t e = 0; e < registry->count; e++) {
        const Desc *desc = registry->entries[e];
        snprintf(name, sizeof(name), "%s %s", registry->kind, desc->name);
        coverage_expect(coverage, name);
        for (size_t i = 0; i < desc->param_count; i++) {
            const ParamSpec *param = &desc->params[i];
            int length =
                snprintf(name, sizeof(name), "%s %s.%s", registry->kind, desc->name, param->name);
            if (matters != NULL && !matters(param))
                continue;
            if (param->type == PARAM_BOOLEAN) {
                strcpy(name + length, "=false");
                coverage_expect(coverage, name);
                strcpy(name + length, "=true");
            }
            for (int c = 0; param->type == PARAM_CHOICE && param->choices[c] != NULL; c++) {
                snprintf(name + length, sizeof(name) - (size_t)length, "=%s", param->choices[c]);
                coverage_expect(coverage, name);
            }
            if (param->type != PARAM_CHOICE)
                coverage_expect(coverage, name);
        }
    }
}
