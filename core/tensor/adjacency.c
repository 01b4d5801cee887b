// Building an adjacency: edges are gathered as they come, then counted and laid out by target and by source
// (counting sort, so the time is that of the nodes and edges).
#include "core/tensor/adjacency.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

typedef struct Arrays {
    int32_t *first_node, *first_in, *source, *first_out, *target, *place, *from, *to;
} Arrays;

// Where each array lies in the buffer's memory; `from` and `to` hold the edges as they were added.
static Arrays arrays_of(const AdjacencyBuffer *buffer) {
    Arrays at;
    int32_t *next = buffer->memory;
    at.first_node = next;
    at.first_in = next += buffer->max_graphs + 1;
    at.first_out = next += buffer->max_nodes + 1;
    at.source = next += buffer->max_nodes + 1;
    at.target = next += buffer->max_edges;
    at.place = next += buffer->max_edges;
    at.from = next += buffer->max_edges;
    at.to = next + buffer->max_edges;
    return at;
}

int adjacency_init(AdjacencyBuffer *buffer, int64_t max_nodes, int64_t max_graphs,
                   int64_t max_edges) {
    *buffer = (AdjacencyBuffer){0};
    if (max_nodes >= INT32_MAX || max_graphs >= INT32_MAX || max_edges >= INT32_MAX)
        return ERR_TOO_LARGE;
    size_t count = (size_t)(max_graphs + 1) + 2 * (size_t)(max_nodes + 1) + 5 * (size_t)max_edges;
    int32_t *memory = memory_array(count, sizeof(int32_t));
    if (memory == NULL)
        return ERR_NO_MEMORY;
    *buffer = (AdjacencyBuffer){
        .max_nodes = max_nodes, .max_graphs = max_graphs, .max_edges = max_edges, .memory = memory};
    adjacency_clear(buffer);
    return OK;
}

void adjacency_finish(AdjacencyBuffer *buffer) {
    memory_free(buffer->memory);
    *buffer = (AdjacencyBuffer){0};
}

void adjacency_clear(AdjacencyBuffer *buffer) {
    Arrays at = arrays_of(buffer);
    at.first_node[0] = 0;
    buffer->adjacency = (Adjacency){.first_node = at.first_node,
                                    .first_in = at.first_in,
                                    .source = at.source,
                                    .first_out = at.first_out,
                                    .target = at.target,
                                    .place = at.place};
}

void adjacency_add(AdjacencyBuffer *buffer, int64_t nodes, const int32_t *pairs, int64_t edges) {
    Arrays at = arrays_of(buffer);
    Adjacency *adjacency = &buffer->adjacency;
    int32_t first = (int32_t)adjacency->nodes;
    for (int64_t e = 0; e < edges; e++) {
        at.from[adjacency->edges + e] = first + pairs[2 * e];
        at.to[adjacency->edges + e] = first + pairs[2 * e + 1];
    }
    adjacency->nodes += nodes;
    adjacency->edges += edges;
    at.first_node[++adjacency->graphs] = (int32_t)adjacency->nodes;
}

// first [nodes + 1]: where each node's edges begin, by `key` [edges]; one place too early afterwards for the fill.
static void count_edges(const int32_t *key, int64_t edges, int32_t *first, int64_t nodes) {
    memset(first, 0, (size_t)(nodes + 1) * sizeof(*first));
    for (int64_t e = 0; e < edges; e++)
        first[key[e] + 1]++;
    for (int64_t v = 0; v < nodes; v++)
        first[v + 1] += first[v];
}

// Undoes what filling did: each first[v] has become first[v + 1].
static void step_back(int32_t *first, int64_t nodes) {
    memmove(first + 1, first, (size_t)nodes * sizeof(*first));
    first[0] = 0;
}

// By target, sources ascending: edges are taken in the order of their source, so that no node's edges need sorting,
// however many there are.
void adjacency_close(AdjacencyBuffer *buffer) {
    Arrays at = arrays_of(buffer);
    Adjacency *adjacency = &buffer->adjacency;
    int64_t nodes = adjacency->nodes, edges = adjacency->edges;
    count_edges(at.from, edges, at.first_out, nodes);
    for (int64_t e = 0; e < edges; e++)
        at.target[at.first_out[at.from[e]]++] = at.to[e];
    step_back(at.first_out, nodes);
    count_edges(at.to, edges, at.first_in, nodes);
    for (int64_t u = 0; u < nodes; u++)
        for (int32_t e = at.first_out[u]; e < at.first_out[u + 1]; e++)
            at.source[at.first_in[at.target[e]]++] = (int32_t)u;
    step_back(at.first_in, nodes);
    // The same once more from the targets: ascending within a source too, and each edge's place.
    for (int64_t v = 0; v < nodes; v++)
        for (int32_t e = at.first_in[v]; e < at.first_in[v + 1]; e++) {
            int32_t out = at.first_out[at.source[e]]++;
            at.target[out] = (int32_t)v;
            at.place[out] = e;
        }
    step_back(at.first_out, nodes);
}
