// A new graph of a model of nodes has all its nodes answered. Models of many graphs take "graphs", or one "graph".
#include "server/data/graph_request.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum {
    REQUEST_NODES_MAX = 1 << 20
}; // of new graphs: sparse ones could ask for an answer without end

void graph_request_finish(GraphRequest *request) {
    graph_stack_finish(&request->stack);
    memory_free(request->nodes);
    *request = (GraphRequest){0};
}

static bool is_given(Value root, const char *key) {
    ValueKind kind = value_kind(value_member(root, key));
    return kind != VALUE_MISSING && kind != VALUE_NULL;
}

static int read_nodes(Value list, const Archive *model, Issues *issues, GraphRequest *request) {
    int error = graph_data_load(model, false, &request->data);
    if (error != OK) {
        return error;
    }
    size_t count = value_length(list);
    if (value_kind(list) != VALUE_ARRAY || count == 0) {
        issues_add_at(issues, "/nodes", "must be an array of at least one node's number");
        return OK;
    }
    request->nodes = memory_array(count, sizeof *request->nodes);
    if (request->nodes == NULL) {
        return ERR_NO_MEMORY;
    }
    VALUE_FOREACH(item, list) {
        int64_t node = 0;
        if (!value_integer(item, 0, request->data.nodes - 1, &node)) {
            issues_add(issues, PATH_INDEX(PATH_KEY(NULL, "nodes"), (size_t)request->node_count),
                       "must be the number of a node of the model's graph, from 0 to %lld",
                       (long long)request->data.nodes - 1);
        }
        request->nodes[request->node_count++] = (int32_t)node;
    }
    return OK;
}

static int read_graph(const Document *document, Value graph, Issues *issues,
                      GraphRequest *request) {
    static const char *const keys[] = {"nodes", "edges", "directed"};
    if (value_kind(graph) != VALUE_OBJECT) {
        issues_add_at(issues, "/graph", "must be an object with \"nodes\" and \"edges\", not %s",
                      value_kind_name(value_kind(graph)));
        return OK;
    }
    VALUE_FOREACH(member, graph) {
        size_t i = 0;
        while (i < ARRAY_LENGTH(keys) && strcmp(keys[i], value_key(member)) != 0) {
            i++;
        }
        if (i == ARRAY_LENGTH(keys)) {
            issues_add(issues, PATH_KEY(PATH_KEY(NULL, "graph"), value_key(member)), "unknown key");
        }
    }
    GraphText text;
    return graph_text_of_value(document, graph, "/graph", issues, &text)
               ? graph_stack_add(&request->stack, &text, issues)
               : OK;
}

static int read_graphs(const Document *document, Value graphs, Issues *issues,
                       GraphRequest *request) {
    const char *text;
    size_t length;
    if (value_kind(graphs) != VALUE_ARRAY ||
        !document_lifted(document, "/graphs", &text, &length)) {
        issues_add_at(issues, "/graphs", "must be an array of graphs, not %s",
                      value_kind_name(value_kind(graphs)));
        return OK;
    }
    Span span = {.at = text, .end = text + length};
    int64_t index = 0;
    int error = OK;
    for (span_enter(&span); error == OK && span_next(&span); index++) {
        char pointer[GRAPH_POINTER];
        const char *start = span.at;
        GraphText found;
        span_skip(&span);
        snprintf(pointer, sizeof pointer, "/graphs/%lld", (long long)index);
        if (graph_text_of_span((Span){.at = start, .end = span.at}, pointer, issues, &found)) {
            error = graph_stack_add(&request->stack, &found, issues);
        }
    }
    if (index == 0) {
        issues_add_at(issues, "/graphs", "must have at least one graph");
    }
    return error;
}

// Which of the members the model takes is there: exactly one.
static const char *find_member(Value root, const char *const members[2], Issues *issues) {
    bool first = is_given(root, members[0]), second = is_given(root, members[1]);
    if (first != second) {
        return members[first ? 0 : 1];
    }
    issues_add_at(issues, "", "must have \"%s\" or \"%s\"%s", members[0], members[1],
                  first ? ", not both" : "");
    return NULL;
}

int graph_request_read(const Document *document, const Archive *model, const Task *task,
                       Issues *issues, GraphRequest *request) {
    static const char *const of_nodes[] = {"nodes", "graph"}, *const of_graphs[] = {"graphs",
                                                                                    "graph"};
    bool several = task->rows == ROWS_GRAPHS;
    Value root = document_root(document);
    const char *member = find_member(root, several ? of_graphs : of_nodes, issues);
    if (member == NULL) {
        return ERR_INVALID;
    }
    Value value = value_member(root, member);
    request->stack.features = task->input.dim[0];
    int error = strcmp(member, "nodes") == 0   ? read_nodes(value, model, issues, request)
                : strcmp(member, "graph") == 0 ? read_graph(document, value, issues, request)
                                               : read_graphs(document, value, issues, request);
    if (request->stack.nodes > REQUEST_NODES_MAX) {
        issues_add_at(issues, "", "has more than %d nodes: ask for fewer at once",
                      REQUEST_NODES_MAX);
    }
    if (error == OK && issues_any(issues)) {
        error = issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    if (error == OK && request->nodes == NULL) {
        request->data = graph_stack_data(&request->stack, several);
    }
    return error;
}
