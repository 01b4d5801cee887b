// Graphs as archives hold them: datasets of one graph or of many, and models that learned on one and answer for its nodes.
//
//   "inputs"            f32 [nodes, features]; NaN: missing         features that are given whole, or
//   "features.width"    i64 [1]                                     those of mostly zeros, by row:
//   "features.first"    i32 [nodes + 1]                             where a node's numbers begin
//   "features.column"   i32 [numbers], ascending within a node
//   "features.value"    f32 [numbers]
//   "edges"             i32 [edges, 2] source and target, numbered within their graph; an undirected one stands both ways;
//                                                                 sorted by source, then by target; none twice
//   "graphs.first_node" i32 [graphs + 1]                            of many graphs: where each begins
//   "graphs.first_edge" i32 [graphs + 1]
#pragma once
#include "core/base/archive.h"
#include "core/model/scaler.h"
#include "core/tensor/adjacency.h"
#include "core/tensor/pattern.h"

typedef struct GraphData {
    int64_t nodes, features, graphs, edges;
    int64_t numbers;           // that are stored of the features
    const float *value;        // [numbers]: all of them, or those that `first` and `column` place
    const int32_t *first;      // [nodes + 1]; NULL: features are whole
    const int32_t *column;     // [numbers]
    const int32_t *pairs;      // [edges, 2]
    const int32_t *first_node; // [graphs + 1]; NULL: one graph
    const int32_t *first_edge; // [graphs + 1]
} GraphData;

// Reads and checks the sections, which are borrowed from the archive. several: many graphs, or one. ERR_DAMAGED.
int graph_data_load(const Archive *archive, bool several, GraphData *ret_data);
// Copies the sections of one graph to another archive.
int graph_data_copy(const Archive *archive, ArchiveWriter *writer);

// Nodes and edges of the graph `index`.
int64_t graph_data_nodes(const GraphData *data, int64_t index);
int64_t graph_data_edges(const GraphData *data, int64_t index);

// Puts the graph `index` behind those that `buffer` has.
void graph_data_join(const GraphData *data, int64_t index, AdjacencyBuffer *buffer);
// Features of `nodes` nodes from `begin` on, scaled and whole: z [nodes, features].
void graph_data_fill(const GraphData *data, int64_t begin, int64_t nodes, const Scaler *scaler,
                     Real *z);
// All numbers of features of mostly zeros, scaled: z [numbers].
void graph_data_fill_numbers(const GraphData *data, const Scaler *scaler, Real *z);

// The scaling of features by the nodes of the graphs listed (of one graph: of all its nodes). Standardised where that is
// asked for; features of mostly zeros keep their zeros: they are divided by their deviation and not moved.
int graph_data_fit(const GraphData *data, bool standardize, const int32_t *graphs, int64_t count,
                   Scaler *ret_scaler);
