// A trace's graph, as in a dataset: its nodes are the rows, their features whole in the answer even where they came sparse.
//
// What a dataset has beside nodes and edges is read where a trace has use for it: "targets", and of "splits" the nodes that
// train. Names of classes and features may stand there.
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/train/nested.h"
#include "core/train/trace_private.h"

enum { NODES_MAX = 1000, FEATURES_MAX = 100000 };

static bool is_given(Value value) {
    return value_kind(value) != VALUE_MISSING && value_kind(value) != VALUE_NULL;
}

static int check_keys(Value object, const char *const *known, size_t count, const Path *path,
                      Issues *issues) {
    int result = OK;
    VALUE_FOREACH(member, object) {
        const char *key = value_key(member);
        size_t i = 0;
        while (i < count && strcmp(known[i], key) != 0)
            i++;
        if (i < count)
            continue;
        const char *nearest = nearest_name(key, known, count);
        issues_add(issues, PATH_KEY(path, key), "unknown key%s%s%s",
                   nearest != NULL ? "; did you mean \"" : "", nearest != NULL ? nearest : "",
                   nearest != NULL ? "\"?" : "");
        result = ERR_INVALID;
    }
    return result;
}

// ---- nodes ----

static int make_inputs(Trace *trace, int64_t nodes, int64_t features, const Path *path,
                       Issues *issues) {
    if (nodes > NODES_MAX) {
        issues_add(issues, path, "has %lld nodes; at most %d are traced", (long long)nodes,
                   NODES_MAX);
        return ERR_INVALID;
    }
    trace->task =
        (Task){.kind = TASK_REGRESSION, .rows = ROWS_NODES, .input = SHAPE(features), .outputs = 1};
    trace->inputs.shape = SHAPE(nodes, features);
    if (nodes * features > TRACE_NUMBERS_MAX) {
        issues_add(issues, path, "has more than %d numbers", TRACE_NUMBERS_MAX);
        return ERR_INVALID;
    }
    trace->inputs.data = arena_array(&trace->arena, (size_t)(nodes * features), sizeof(Real));
    return trace->inputs.data == NULL ? ERR_NO_MEMORY : OK;
}

static int read_rows(Trace *trace, Value nodes, const Path *path, Issues *issues) {
    Shape shape;
    int error = nested_shape(nodes, path, issues, &shape);
    if (error == OK && shape.rank != 1 && shape.rank != 2) {
        issues_add(issues, path, "must be a list of rows of numbers");
        error = ERR_INVALID;
    }
    if (error == OK)
        error = make_inputs(trace, shape.dim[0], shape.rank == 2 ? shape.dim[1] : 1, path, issues);
    return error == OK ? nested_read(nodes, &shape, path, issues, trace->inputs.data) : error;
}

static int read_sparse(Trace *trace, Value nodes, const Path *path, Issues *issues) {
    static const char *const keys[] = {"shape", "indices", "values"};
    Value shape = value_member(nodes, "shape"), indices = value_member(nodes, "indices");
    Value values = value_member(nodes, "values"), value = value_child(values);
    int32_t sides[2] = {0};
    int error = check_keys(nodes, keys, ARRAY_LENGTH(keys), path, issues);
    if (nested_read_whole(shape, &SHAPE(2), "number of nodes or features", FEATURES_MAX + 1, false,
                          PATH_KEY(path, "shape"), issues, sides) != OK)
        return ERR_INVALID;
    if (sides[0] < 1 || sides[1] < 1 || value_kind(indices) != VALUE_ARRAY ||
        value_kind(values) != VALUE_ARRAY || value_length(values) != value_length(indices)) {
        issues_add(
            issues, path,
            "must have \"shape\", two numbers above 0, and as many \"indices\" as \"values\"");
        return ERR_INVALID;
    }
    int made = make_inputs(trace, sides[0], sides[1], path, issues);
    if (made != OK)
        return made;
    size_t i = 0;
    VALUE_FOREACH(index, indices) {
        int32_t place[2];
        Real number;
        const Path *at = PATH_INDEX(PATH_KEY(path, "indices"), i);
        bool read = nested_read_whole(index, &SHAPE(2), "row or column", FEATURES_MAX, false, at,
                                      issues, place) == OK;
        read &= nested_read(value, &(Shape){0}, PATH_INDEX(PATH_KEY(path, "values"), i), issues,
                            &number) == OK;
        if (read && (place[0] >= sides[0] || place[1] >= sides[1])) {
            issues_add(issues, at, "is beyond the shape");
            read = false;
        }
        if (read)
            trace->inputs.data[(int64_t)place[0] * sides[1] + place[1]] = number;
        error = read ? error : ERR_INVALID;
        value = value_next(value);
        i++;
    }
    return error;
}

// ---- edges ----

// linked [nodes, nodes]: whether an edge leads from a node to another.
static int read_edges(const Trace *trace, Value edges, bool directed, const Path *path,
                      Issues *issues, uint8_t *linked, int64_t *ret_count) {
    int64_t nodes = trace->inputs.shape.dim[0], count = 0;
    size_t i = 0;
    int result = OK;
    if (value_kind(edges) != VALUE_ARRAY) {
        issues_add(issues, path,
                   is_given(edges) ? "must be a list of edges [source, target]"
                                   : "is missing: a list of edges [source, target]");
        return ERR_INVALID;
    }
    VALUE_FOREACH(edge, edges) {
        int32_t pair[2];
        if (nested_read_whole(edge, &SHAPE(2), "node", nodes, false, PATH_INDEX(path, i++), issues,
                              pair) != OK) {
            result = ERR_INVALID;
            continue;
        }
        for (int way = 0; pair[0] != pair[1] && way < (directed ? 1 : 2); way++) {
            uint8_t *link = &linked[pair[way] * nodes + pair[1 - way]];
            count += !*link;
            *link = 1;
        }
    }
    *ret_count = count;
    return result;
}

static int join_edges(Trace *trace, const uint8_t *linked, int64_t count) {
    int32_t nodes = (int32_t)trace->inputs.shape.dim[0];
    int32_t *pairs = arena_array(&trace->arena, 2 * (size_t)count, sizeof(*pairs)), *at = pairs;
    if (pairs == NULL)
        return ERR_NO_MEMORY;
    for (int32_t u = 0; u < nodes; u++)
        for (int32_t v = 0; v < nodes; v++)
            if (linked[u * nodes + v]) {
                *at++ = u;
                *at++ = v;
            }
    int error = adjacency_init(&trace->graphs, nodes, 1, count);
    if (error != OK)
        return error;
    adjacency_add(&trace->graphs, nodes, pairs, count);
    adjacency_close(&trace->graphs);
    return OK;
}

// ---- the graph ----

// Those of "splits.train", where there is such a list.
static int read_training(Trace *trace, Value splits, const Path *path, Issues *issues) {
    int64_t nodes = trace->inputs.shape.dim[0];
    Value train = value_member(splits, "train");
    if (!is_given(train))
        return OK;
    path = PATH_KEY(path, "train");
    if (value_kind(train) != VALUE_ARRAY) {
        issues_add(issues, path, "must be a list of nodes");
        return ERR_INVALID;
    }
    trace->trains = arena_array(&trace->arena, (size_t)nodes, sizeof(bool));
    if (trace->trains == NULL)
        return ERR_NO_MEMORY;
    size_t i = 0;
    int result = OK;
    VALUE_FOREACH(item, train) {
        int64_t node;
        if (value_integer(item, 0, nodes - 1, &node)) {
            trace->trains[node] = true;
        } else {
            issues_add(issues, PATH_INDEX(path, i), "must be a node from 0 to %lld",
                       (long long)nodes - 1);
            result = ERR_INVALID;
        }
        i++;
    }
    return result;
}

static int read_directed(Value directed, const Path *path, Issues *issues) {
    if (!is_given(directed) || value_kind(directed) == VALUE_BOOLEAN)
        return OK;
    issues_add(issues, path, "must be true or false, not %s",
               value_kind_name(value_kind(directed)));
    return ERR_INVALID;
}

static int worse(int a, int b) {
    return a == OK || (a == ERR_INVALID && b != OK) ? b : a;
}

int trace_read_graph(Trace *trace, Issues *issues) {
    static const char *const keys[] = {"nodes",  "edges",       "directed",     "targets",
                                       "splits", "class_names", "feature_names"};
    const Path *path = PATH_KEY(NULL, "graph");
    Value graph = trace->params.graph, nodes = value_member(graph, "nodes");
    if (value_kind(graph) != VALUE_OBJECT) {
        issues_add(issues, path, "must be an object with \"nodes\" and \"edges\", not %s",
                   value_kind_name(value_kind(graph)));
        return ERR_INVALID;
    }
    int result = check_keys(graph, keys, ARRAY_LENGTH(keys), path, issues);
    const Path *nodes_path = PATH_KEY(path, "nodes");
    int read = value_kind(nodes) == VALUE_OBJECT ? read_sparse(trace, nodes, nodes_path, issues)
                                                 : read_rows(trace, nodes, nodes_path, issues);
    result = worse(result, read);
    if (trace->inputs.data == NULL || (result != OK && result != ERR_INVALID))
        return result;
    Value directed = value_member(graph, "directed");
    int64_t side = trace->inputs.shape.dim[0], count;
    uint8_t *linked = arena_array(&trace->arena, (size_t)(side * side), 1);
    if (linked == NULL)
        return ERR_NO_MEMORY;
    result = worse(result, read_directed(directed, PATH_KEY(path, "directed"), issues));
    read = read_edges(trace, value_member(graph, "edges"), value_boolean(directed),
                      PATH_KEY(path, "edges"), issues, linked, &count);
    result = worse(result, read == OK ? join_edges(trace, linked, count) : read);
    return worse(result, read_training(trace, value_member(graph, "splits"),
                                       PATH_KEY(path, "splits"), issues));
}

int64_t trace_output_rows(const Trace *trace) {
    const GraphNode *output = graph_node(model_graph(trace->model), model_output(trace->model));
    return trace->graphs.memory != NULL && !output->per_node ? 1 : trace->inputs.shape.dim[0];
}
