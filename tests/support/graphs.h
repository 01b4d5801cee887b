// Graphs for tests, from what a probe or a golden case has beside its layers: "graph": {"nodes": n, "edges":
// [[0, 1], …]} or "graphs": [ … ]. Edges go both ways unless "directed" is true.
#pragma once
#include <criterion/criterion.h>
#include "core/base/error.h"
#include "core/tensor/adjacency.h"
#include "tests/support/json.h"

enum { TEST_EDGES_MAX = 64 }; // of one graph, both ways counted

static inline void graphs_add(AdjacencyBuffer *buffer, Value graph) {
    int32_t pairs[2 * TEST_EDGES_MAX];
    bool directed = value_boolean(value_member(graph, "directed"));
    int64_t edges = 0;
    VALUE_FOREACH(edge, value_member(graph, "edges")) {
        Value source = value_child(edge), target = value_next(source);
        cr_assert(edges + 2 <= TEST_EDGES_MAX);
        for (int way = 0; way < (directed ? 1 : 2); way++, edges++) {
            pairs[2 * edges] = (int32_t)value_number(way == 0 ? source : target);
            pairs[2 * edges + 1] = (int32_t)value_number(way == 0 ? target : source);
        }
    }
    adjacency_add(buffer, (int64_t)value_number(value_member(graph, "nodes")), pairs, edges);
}

// The case's graphs as one adjacency, which the caller finishes; false: it has none.
static inline bool graphs_read(Value given, AdjacencyBuffer *buffer) {
    Value one = value_member(given, "graph"), several = value_member(given, "graphs");
    if (value_kind(one) != VALUE_OBJECT && value_kind(several) != VALUE_ARRAY)
        return false;
    cr_assert_eq(adjacency_init(buffer, 64, 16, 4 * TEST_EDGES_MAX), OK);
    if (value_kind(one) == VALUE_OBJECT)
        graphs_add(buffer, one);
    VALUE_FOREACH(graph, several)
    graphs_add(buffer, graph);
    adjacency_close(buffer);
    return true;
}
