// The members of a graph, from the tree or from text.
#include "server/data/graph_text.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const char *const graph_keys[] = {"nodes", "edges", "directed"};
static const char *const sparse_keys[] = {"shape", "indices", "values"};

static const char edges_wanted[] = "must be an array of edges [source, target]";
static const char nodes_wanted[] = "must be an array of rows of numbers, or {\"shape\": [nodes, "
                                   "features], \"indices\": [[row, column], …], \"values\": […]}";
static const char directed_wanted[] = "must be true or false";
static const char shape_wanted[] =
    "must be [nodes, features], two whole numbers from 1 to 16777216"; // GRAPH_SIDE_MAX
static const char indices_wanted[] = "must be an array of places [row, column]";
static const char values_wanted[] = "must be an array of numbers";

static void member_issue(const GraphText *text, const char *member, Issues *issues,
                         const char *detail, ValueKind kind) {
    char pointer[GRAPH_POINTER + 32];
    snprintf(pointer, sizeof pointer, "%s/%s", text->pointer, member);
    if (kind == VALUE_MISSING || kind == VALUE_NULL) {
        issues_add_at(issues, pointer, "is required");
    } else {
        issues_add_at(issues, pointer, "%s, not %s", detail, value_kind_name(kind));
    }
}

// The lifted array `member` of the object `value`.
static bool lifted(const Document *document, const GraphText *text, Value value, const char *parent,
                   const char *member, const char *wanted, Issues *issues, Span *ret_span) {
    char name[32], pointer[GRAPH_POINTER + 32];
    snprintf(name, sizeof name, "%s%s", parent, member);
    snprintf(pointer, sizeof pointer, "%s/%s", text->pointer, name);
    const char *at;
    size_t length;
    ValueKind kind = value_kind(value_member(value, member));
    if (kind != VALUE_ARRAY || !document_lifted(document, pointer, &at, &length)) {
        member_issue(text, name, issues, wanted, kind);
        return false;
    }
    *ret_span =
        (Span){.at = at, .end = at + length, .passed = document_mapped(document) ? at : NULL};
    return true;
}

static bool shape_of_value(Value shape, int64_t sides[2]) {
    Value first = value_child(shape);
    return value_kind(shape) == VALUE_ARRAY && value_length(shape) == 2 &&
           value_integer(first, 1, GRAPH_SIDE_MAX, &sides[0]) &&
           value_integer(value_next(first), 1, GRAPH_SIDE_MAX, &sides[1]);
}

// An unknown key of the object `parent` ("", "nodes/") of the graph.
static void check_key(const GraphText *text, const char *parent, const char *key,
                      const char *const *known, size_t count, Issues *issues) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(key, known[i]) == 0) {
            return;
        }
    }
    Text pointer;
    text_init(&pointer);
    text_add_format(&pointer, "%s/%s", text->pointer, parent);
    for (; *key != '\0'; key++) { // as RFC 6901 escapes it
        if (*key == '~' || *key == '/') {
            text_add(&pointer, *key == '~' ? "~0" : "~1");
        } else {
            text_add_char(&pointer, *key);
        }
    }
    issues->failed |= pointer.failed;
    issues_add_at(issues, text_string(&pointer), "unknown key");
    text_finish(&pointer);
}

bool graph_text_of_value(const Document *document, Value graph, const char *pointer, Issues *issues,
                         GraphText *ret_text) {
    GraphText text = {.sparse = false};
    snprintf(text.pointer, sizeof text.pointer, "%s", pointer);
    Value nodes = value_member(graph, "nodes"), directed = value_member(graph, "directed");
    bool found = true;
    text.sparse = value_kind(nodes) == VALUE_OBJECT;
    if (text.sparse) {
        VALUE_FOREACH(member, nodes) {
            check_key(&text, "nodes/", value_key(member), sparse_keys, ARRAY_LENGTH(sparse_keys),
                      issues);
        }
        Value shape = value_member(nodes, "shape");
        if (!shape_of_value(shape, text.shape)) {
            member_issue(&text, "nodes/shape", issues, shape_wanted, value_kind(shape));
            found = false;
        }
        found &= lifted(document, &text, nodes, "nodes/", "indices", indices_wanted, issues,
                        &text.indices);
        found &=
            lifted(document, &text, nodes, "nodes/", "values", values_wanted, issues, &text.values);
    } else {
        found = lifted(document, &text, graph, "", "nodes", nodes_wanted, issues, &text.nodes);
    }
    found &= lifted(document, &text, graph, "", "edges", edges_wanted, issues, &text.edges);
    ValueKind kind = value_kind(directed);
    text.directed = value_boolean(directed);
    if (kind != VALUE_MISSING && kind != VALUE_NULL && kind != VALUE_BOOLEAN) {
        member_issue(&text, "directed", issues, directed_wanted, kind);
    }
    *ret_text = text;
    return found;
}

// The members of an object as text: their spans by their place in `keys`. ret_spans [count], at NULL: not there.
static void find_members(const GraphText *text, Span object, const char *parent,
                         const char *const *keys, size_t count, Issues *issues, Span *ret_spans) {
    Text key;
    text_init(&key);
    memset(ret_spans, 0, count * sizeof *ret_spans);
    span_enter(&object);
    while (span_next(&object)) {
        span_key(&object, &key);
        const char *start = object.at;
        span_skip(&object);
        for (size_t i = 0; i < count; i++) {
            if (strcmp(text_string(&key), keys[i]) == 0) {
                ret_spans[i] = (Span){.at = start, .end = object.at, .passed = object.passed};
            }
        }
        check_key(text, parent, text_string(&key), keys, count, issues);
    }
    issues->failed |= key.failed;
    text_finish(&key);
}

static ValueKind kind_of(const Span *span) {
    return span->at == NULL ? VALUE_MISSING : span_kind(span);
}

static bool shape_of_span(Span span, int64_t sides[2]) {
    int count = 0;
    double number;
    if (span_items(span) != 2) {
        return false;
    }
    for (span_enter(&span); span_next(&span); count++) {
        if (span_kind(&span) != VALUE_NUMBER || span_number(&span, &number) != OK ||
            !(number >= 1 && number <= GRAPH_SIDE_MAX) || number != (double)(int64_t)number) {
            return false;
        }
        sides[count] = (int64_t)number;
    }
    return true;
}

static bool is_array(const GraphText *text, const Span *span, const char *member,
                     const char *wanted, Issues *issues) {
    if (kind_of(span) == VALUE_ARRAY) {
        return true;
    }
    member_issue(text, member, issues, wanted, kind_of(span));
    return false;
}

static bool find_sparse(GraphText *text, Span nodes, Issues *issues) {
    Span spans[ARRAY_LENGTH(sparse_keys)];
    find_members(text, nodes, "nodes/", sparse_keys, ARRAY_LENGTH(sparse_keys), issues, spans);
    bool found = kind_of(&spans[0]) == VALUE_ARRAY && shape_of_span(spans[0], text->shape);
    if (!found) {
        member_issue(text, "nodes/shape", issues, shape_wanted, kind_of(&spans[0]));
    }
    text->indices = spans[1];
    text->values = spans[2];
    found &= is_array(text, &spans[1], "nodes/indices", indices_wanted, issues);
    return is_array(text, &spans[2], "nodes/values", values_wanted, issues) && found;
}

bool graph_text_of_span(Span graph, const char *pointer, Issues *issues, GraphText *ret_text) {
    GraphText text = {.sparse = false};
    snprintf(text.pointer, sizeof text.pointer, "%s", pointer);
    if (span_kind(&graph) != VALUE_OBJECT) {
        issues_add_at(issues, pointer, "must be a graph {\"nodes\", \"edges\"}, not %s",
                      value_kind_name(span_kind(&graph)));
        return false;
    }
    Span spans[ARRAY_LENGTH(graph_keys)];
    find_members(&text, graph, "", graph_keys, ARRAY_LENGTH(graph_keys), issues, spans);
    text.nodes = spans[0];
    text.edges = spans[1];
    text.sparse = kind_of(&spans[0]) == VALUE_OBJECT;
    bool found = text.sparse ? find_sparse(&text, spans[0], issues)
                             : is_array(&text, &spans[0], "nodes", nodes_wanted, issues);
    found &= is_array(&text, &spans[1], "edges", edges_wanted, issues);
    ValueKind kind = kind_of(&spans[2]);
    text.directed = kind == VALUE_BOOLEAN && *spans[2].at == 't';
    if (kind != VALUE_MISSING && kind != VALUE_NULL && kind != VALUE_BOOLEAN) {
        member_issue(&text, "directed", issues, directed_wanted, kind);
    }
    *ret_text = text;
    return found;
}
