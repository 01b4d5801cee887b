// Graphs of operators, their memory plan, and the reverse walk that yields all gradients in one
// pass (reverse-mode automatic differentiation; Baydin et al. 2018, section 3.2).
//
// A Graph is structure: nodes in topological order (each names only earlier ones) and declared
// weights. It never changes once planned. A Plan is a Graph made ready to run for a number of rows:
// where each value and gradient lives in one arena. Several plans may stand on one graph and one
// set of weights (training, validation, prediction); a plan is used by one thread at a time.
//
//   graph_create → graph_input, graph_weight, graph_add … → plan_create → plan_forward →
//   plan_backward
// An operator that allows it writes over its input where that has no later reader.
//
// The arena, by lifetimes: time runs 0…n−1 forward and n…2n−1 backward. Node i's output lives from
// forward(i) to its last reader, which is a later node's forward or, where an operator says so, a
// backward. Its gradient lives from the backward of its first reader (in reverse order) to
// backward(i). A large value that is cheaply made again (OpDesc.again) leaves after its last forward
// reader and comes back before its first backward one. Two buffers may share bytes where their lives do not meet; placed largest first at
// the lowest offset that is free throughout.
#pragma once
#include "core/base/descriptor.h"
#include "core/activations/activations.h"
#include "core/inits/inits.h"
#include "core/ops/op.h"

typedef struct Graph Graph;
typedef struct Plan Plan;

// ---- structure ----

typedef struct GraphWeight {
    const char *name; // within its layer: "kernel"; names with a dot for parts ("norm_1.gamma")
    Shape shape;
    int layer;      // index of the layer it belongs to
    bool state;     // kept and saved, but not learned (moving_mean)
    Selection init; // InitDesc
    double fan_in, fan_out;
    double fill;   // NAN: use init; else every element starts so (gamma 1, forget bias)
    size_t offset; // elements into the flat weights; set by graph_add order: learned weights of
                   // layer 0, 1, …
} GraphWeight;

typedef struct GraphNode {
    const OpDesc *op; // NULL for an input
    const void *params;
    int inputs, input[OP_INPUTS_MAX];
    int weights, weight[OP_WEIGHTS_MAX];
    Shape shape;   // of one row
    int layer;     // −1 for an input
    bool per_node; // its rows are the nodes of the batch's graphs
    int lengths; // which of the graph's kinds of lengths hold for its first row axis; −1: none, no padding
} GraphNode;

// What the rows of an input are.
typedef enum GraphRows {
    GRAPH_ROWS,      // the batch's, all alike
    GRAPH_SEQUENCES, // the batch's, [time, …], of OpContext.lengths steps
    GRAPH_NODES,     // nodes of the graphs in OpContext.adjacency
} GraphRows;

Graph *graph_create(void);        // NULL without memory
void graph_destroy(Graph *graph); // takes NULL
Arena *graph_arena(Graph *graph); // for operators' parameters: they live as long as the graph

// Each returns the new index (≥ 0) or a negative error.
int graph_input(Graph *graph, const Shape *row_shape, GraphRows rows);
// Copies what `weight` says (offset is ignored). The learned weights of one layer are declared
// without another layer's between them. A layer that holds others (residual) may declare its own
// after theirs: go by GraphWeight.layer.
int graph_weight(Graph *graph, const GraphWeight *weight);
// On ERR_INVALID `why` has the sentence for the user. Lengths are input 0's, as the operator changes them.
int graph_add(Graph *graph, int layer, const OpDesc *op, const void *params, int inputs,
              const int *input, int weights, const int *weight, char why[OP_WHY]);

// How a row's length changes on its way: each kind follows from an earlier one by an operator, the first from
// OpContext.lengths.
enum { LENGTHS_NONE = -1 };
typedef struct GraphLengths {
    int from; // LENGTHS_NONE: the context's
    const OpDesc *op;
    const void *params;
    Shape input;
} GraphLengths;
int graph_lengths(const Graph *graph); // how many kinds
const GraphLengths *graph_lengths_at(const Graph *graph, int lengths);
// How long the node makes a row of `given` steps; negative: no padding is told apart there.
int64_t graph_length(const Graph *graph, int node, int64_t given);

int graph_nodes(const Graph *graph);
const GraphNode *graph_node(const Graph *graph, int node);
int graph_weights(const Graph *graph);
const GraphWeight *graph_weight_at(const Graph *graph, int weight);
// Elements of the flat arrays: learned weights come first (their gradients and optimizer slots have
// this length), states after.
size_t graph_learned(const Graph *graph);
size_t graph_weight_elements(const Graph *graph); // learned and states
// Weights of one layer lie together: elements [*begin, *end) of the learned part.
void graph_layer_range(const Graph *graph, int layer, size_t *ret_begin, size_t *ret_end);
// Frozen layers: no gradients for their weights, and their states stand still: batch_norm there
// uses its moving statistics.
int graph_freeze(Graph *graph, int layer);
bool graph_frozen(const Graph *graph, int layer);

// Fills `weights` [graph_weight_elements] by the weights' initialisers: weight i from rng (seed,
// RNG_WEIGHTS, i).
int graph_initialise(const Graph *graph, uint64_t seed, Real *weights);

// ---- running ----

typedef struct PlanOptions {
    int64_t max_rows;             // of the batch: graphs where rows are nodes
    int64_t max_nodes, max_edges; // of the batch's graphs; 0 where the input has none
    int64_t
        max_entries; // the input comes as so many numbers of a Pattern, not whole; 0: it comes whole. Not with keep_all
    bool backward; // also room for gradients
    bool keep_all; // every value and gradient keeps its own place (traces, gradient checks,
                   // histograms)
    bool carry;    // rows may come in several passes (graph_carries); not with backward
    int output;    // the node whose value is wanted; only what it depends on is run
} PlanOptions;

typedef struct PlanCost {
    size_t activation_bytes; // the arena: values, gradients, saved, scratch
    double forward_flops, backward_flops;
} PlanCost;

// Called after a node's forward or backward, with its layer; NULL: not called. The tensors are
// valid only within the call, unless keep_all. This is where statistics are gathered, while the
// data is still in the cache.
typedef struct PlanObserver {
    void *context;
    // stored: how many numbers the output has; fewer than its elements where they are a pattern's
    void (*forward)(void *context, int node, const Tensor *output, size_t stored);
    void (*backward)(void *context, int node); // its weights' gradients are complete
} PlanObserver;

// Whether all that reads the input can read it as a pattern's numbers.
bool graph_takes_pattern(const Graph *graph, int output);
// Whether rows may come in several passes, some steps in each, with the outcome of one: no step needs those behind it, nor of
// those before it more than what recurrent operators carry on.
bool graph_carries(const Graph *graph, int output);
// What a plan would cost, without making it; and each node of it, where ret_nodes [graph_nodes] is not NULL (nothing, where
// it does not run). ERR_TOO_LARGE where a product of sizes overflows.
int plan_cost(const Graph *graph, const PlanOptions *options, OpCost *ret_nodes,
              PlanCost *ret_cost);
int plan_create(const Graph *graph, const PlanOptions *options, Plan **ret_plan);
// With carry: the next pass has the rows' first steps again, as the first one had.
void plan_restart(Plan *plan);
void plan_destroy(Plan *plan); // takes NULL

// Runs forward for 1…max_rows rows (nodes and graphs: those of context->adjacency). inputs: one tensor for each
// graph_input in order, first axis the rows; borrowed until the matching backward is over. weights [graph_weight_elements]: states
// are updated where context->training. The output stays valid until the next call. The same arrays
// must be given to the backward that follows.
void plan_forward(Plan *plan, const OpContext *context, const PlanObserver *observer,
                  const Tensor *inputs, Real *weights, Tensor *ret_output);
// The reverse walk. The caller has written dL/d(output) to plan_output_gradient(plan). gradients
// [graph_learned] is overwritten, but for frozen layers, whose part is left alone.
Real *plan_output_gradient(Plan *plan);
void plan_backward(Plan *plan, const OpContext *context, const PlanObserver *observer,
                   Real *gradients);
// A node's value or gradient after a pass; data NULL where the plan does not keep it (see
// keep_all).
Tensor plan_value(const Plan *plan, int node);
Tensor plan_gradient(const Plan *plan, int node);
// What `node`'s backward wrote for its input k: its own part of that gradient, where other nodes read the same value too.
// For the observer's backward of that node: valid within it. data NULL: not wanted.
Tensor plan_input_gradient(const Plan *plan, int node, int k);
// With keep_all and where the input's gradient is wanted too (explain, trace):
// plan_want_input_gradient before running.
void plan_want_input_gradients(Plan *plan);
