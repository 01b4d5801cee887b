// The edges of a batch of graphs, as one graph whose parts are not joined: compressed sparse rows by target, and the
// same edges by source for the way back.
//
//   nodes  0 1 2 | 3 4        first_node = [0, 3, 5]                two graphs
//   edges  0→1, 2→1, 4→3      first_in   = [0, 0, 2, 2, 3, 3]       what comes into a node: source[first_in[v] … first_in[v + 1])
//                             source     = [0, 2, 4]
//                             first_out  = [0, 1, 1, 2, 2, 3]       what goes out of it: target[first_out[u] … first_out[u + 1])
//                             target     = [1, 1, 3]
//                             place      = [0, 1, 2]                that edge's index in `source`
//
// An undirected edge stands in both directions. Self-loops are not stored: an operator that wants them adds them.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Adjacency {
    int64_t nodes, graphs, edges;
    const int32_t *first_node; // [graphs + 1]
    const int32_t *first_in;   // [nodes + 1]
    const int32_t *source;     // [edges], ascending within a target
    const int32_t *first_out;  // [nodes + 1]
    const int32_t *target;     // [edges], ascending within a source
    const int32_t *place;      // [edges]
} Adjacency;

// Memory for an adjacency that is filled again for every batch.
typedef struct AdjacencyBuffer {
    Adjacency adjacency; // what was filled last
    int64_t max_nodes, max_graphs, max_edges;
    int32_t *memory; // of all the arrays
} AdjacencyBuffer;

// ERR_TOO_LARGE where numbers do not fit, ERR_NO_MEMORY.
int adjacency_init(AdjacencyBuffer *buffer, int64_t max_nodes, int64_t max_graphs,
                   int64_t max_edges);
void adjacency_finish(AdjacencyBuffer *buffer);
// Starts an empty batch, and adds a graph to it. pairs [edges][2] are directed edges (source, target) numbered from 0
// within the graph, without repetitions or self-loops; borrowed until adjacency_close.
void adjacency_clear(AdjacencyBuffer *buffer);
void adjacency_add(AdjacencyBuffer *buffer, int64_t nodes, const int32_t *pairs, int64_t edges);
// Sorts what was added; then buffer->adjacency is whole.
void adjacency_close(AdjacencyBuffer *buffer);
