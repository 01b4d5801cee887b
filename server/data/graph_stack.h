// Graphs read out of JSON, one behind the other, into arrays as archives hold them (core/model/graph_data.h).
//
// Edges go both ways unless the graph says that it is directed. Repeated ones are merged, those from a node to itself are dropped,
// and both are counted. Entries of sparse features may come in any order, but each place once.
#pragma once
#include "core/model/graph_data.h"
#include "server/data/graph_text.h"
#include "server/data/pairs.h"

// Whole rows of features go where this says, where they are not to be kept: the place of the next one's numbers [features].
typedef struct GraphRowSink {
    void *context;
    int (*next)(void *context, int64_t features, float **ret_numbers);
} GraphRowSink;

typedef struct GraphStack {   // a zeroed one is ready to use
    const GraphRowSink *sink; // NULL: rows are kept
    int64_t graphs, nodes, edges, numbers;
    int64_t features;                  // of every graph; 0 before the first, unless it is known
    bool sparse;                       // likewise
    bool directed;                     // any of them
    int64_t repeated, loops, isolated; // edges merged and dropped; nodes without an edge
    GrowingArray value, first, column, pairs, first_node, first_edge; // as in GraphData
    Pairs reading;                                                    // of the graph under way
    GrowingArray seen; // likewise: nodes with an edge
} GraphStack;

void graph_stack_finish(GraphStack *stack);
// Reads a graph. What is wrong with it is an issue; else ERR_NO_MEMORY, or what the sink says.
int graph_stack_add(GraphStack *stack, const GraphText *text, Issues *issues);
// All graphs read, where there was no issue; borrowed. Rows that a sink took are not in it. several: as many graphs, not one.
GraphData graph_stack_data(const GraphStack *stack, bool several);
