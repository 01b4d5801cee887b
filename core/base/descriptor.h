// Descriptors: what a registry's entry is called, what it is, and which parameters it takes.
//
// Everything a user can name in a job (a layer, an activation, an initialiser, a loss, an
// optimizer, a schedule) is an entry of a registry, and its parameters are a table of ParamSpec.
// From these tables come the validation of a request with its defaults, GET /v1/layers, the OpenAPI
// document, the page's forms, the reference pages and the tests' probes.
//
// An entry's own descriptor type starts with a Desc (`struct LayerDesc { Desc desc; … }`), so that
// a `const Desc *` of that registry can be cast to it.
#pragma once
#include "core/base/issues.h"
#include "core/base/memory.h"
#include "core/base/value.h"

typedef struct Desc Desc;
typedef struct Registry Registry;

typedef enum ParamType {
    PARAM_INTEGER,  // int64_t
    PARAM_NUMBER,   // double; NAN where it was left out and has no default
    PARAM_BOOLEAN,  // bool
    PARAM_CHOICE,   // const char *: one of `choices`
    PARAM_STRING,   // const char *, or NULL
    PARAM_INTEGERS, // IntegerList: n or [n, m, …]
    PARAM_STRINGS,  // StringList
    PARAM_ENTRY, // Selection: an entry of `registry`, as "name" or {"type": "name", parameters…}
    PARAM_ENTRIES, // SelectionList
    PARAM_VALUE,   // Value: kept as it came (borrowed), for a reader of its own
} ParamType;

typedef struct IntegerList {
    int64_t *items; // [count]
    size_t count;
} IntegerList;

typedef struct StringList {
    const char **items; // [count]
    size_t count;
} StringList;

typedef struct Selection {
    const Desc *desc;   // NULL: nothing chosen
    const void *params; // the entry's parameter struct
} Selection;

typedef struct SelectionList {
    Selection *items; // [count]
    size_t count;
} SelectionList;

typedef struct ParamSpec {
    const char *name;
    ParamType type;
    size_t offset; // of the field in the entry's parameter struct
    bool required;
    // INTEGER, NUMBER, BOOLEAN (0 or 1); INTEGERS: one item, 0: an empty list. An INTEGER whose bounds
    // exclude its default of 0 has none: it is 0 where it was left out, and is written as null.
    double default_number;
    const char *default_text; // CHOICE, STRING, ENTRY: a name, or NULL
    // INTEGER, NUMBER and each of INTEGERS. 0, 0 without above_minimum: unbounded; a maximum that
    // is not above the minimum: no upper bound.
    double minimum, maximum;
    bool above_minimum; // the minimum itself is excluded: x > minimum
    bool below_maximum; // the maximum itself is excluded: x < maximum
    // CHOICE: NULL-terminated, the first is the default unless default_text.
    const char *const *choices;
    const char *keyword;      // INTEGER, NUMBER: this string is allowed too ("full") …
    double keyword_number;    // … and stands for this number
    const Registry *registry; // ENTRY, ENTRIES
    const Desc *object;       // VALUE: the table of its keys, for whoever describes it …
    bool many;                // … and whether it is a list of such objects
    const char *help;         // one line
} ParamSpec;

// The bounds that hold, ±infinity where there is none.
typedef struct ParamBounds {
    double lower, upper;
} ParamBounds;

struct Desc {
    const char *name;
    const char *const *aliases; // NULL-terminated, or NULL
    const char *summary;        // one line
    const char *reference;   // the method's source: paper and equation; NULL for what is elementary
    const ParamSpec *params; // [param_count]
    size_t param_count;
    size_t params_size; // bytes of the parameter struct; 0: none
    // NULL-terminated JSON texts that exercise the entry; the registry's header says what they
    // hold. The tests check each; an entry without one fails.
    const char *const *probes;
};

struct Registry {
    const char *kind;           // "layer", "activation", …
    const Desc *const *entries; // [count]
    size_t count;
};

const Desc *registry_find(const Registry *registry, const char *name); // by name or alias; NULL
// Of [count] names the one nearest to `name` by edit distance, or NULL where none is near enough to
// be meant.
const char *nearest_name(const char *name, const char *const *names, size_t count);

ParamBounds param_bounds(const ParamSpec *spec);
// default_number as something to tell; NAN where it is none, or none that may be given: then what is
// left out is chosen by other means.
double param_default(const ParamSpec *spec);

// Reads an entry's parameters from `object`: defaults, types, ranges, unknown keys with the nearest
// known one. Keys of `also` (NULL-terminated, may be NULL: "type", "name", …) are the caller's and
// passed over. All errors go to `issues` with their place; then ERR_INVALID. `object` missing: all
// defaults. A member that is null counts as left out. `*ret_params` is NULL where the entry has no
// parameter struct (params_size 0).
int params_read(const Desc *desc, Value object, const Path *path, const char *const *also,
                Arena *arena, Issues *issues, const void **ret_params);

// Reads one selection: "name" or {"type": "name", …}. Missing or null: `fallback` with its
// defaults, or an empty selection where that is NULL.
int selection_read(const Registry *registry, const char *fallback, Value value, const Path *path,
                   Arena *arena, Issues *issues, Selection *ret_selection);

// Writes the parameters as members of the object that is open in `out`, defaults filled in.
void params_write(const Desc *desc, const void *params, const ValueWriter *out);
// Writes a selection: its bare name where it takes no parameters, else the object.
void selection_write(Selection selection, const char *key, const ValueWriter *out);
// Describes the parameters for GET /v1/layers: an array "parameters" of {name, type, default,
// minimum, …}.
void params_describe(const Desc *desc, const ValueWriter *out);
