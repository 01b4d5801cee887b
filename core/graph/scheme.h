// The memory scheme of a plan: which buffers each node has, how long they live, and where they lie.
//
// Time runs 0…n−1 forward, n…2n−1 backward (n − 1 is the output node): forward(i) = i, backward(i)
// = 2n − 1 − i. What lives beyond the backward pass lives until 2n.
#pragma once
#include "core/graph/graph.h"
#include "core/graph/layout.h"

enum { SCHEME_NONE = -1 }; // instead of a buffer's index

typedef struct SchemeNode {
    bool active; // the output depends on it
    bool needs;  // something below it, or its own weights, wants a gradient
    // Indices of buffers. Nodes that are computed in place share theirs. An input's value is the
    // caller's.
    int value, gradient, saved, carried, forward_scratch, backward_scratch;
    // Where backward writes input k's gradient when an earlier writer has filled the gradient
    // itself; summed right after.
    int extra[OP_INPUTS_MAX];
    // The node before whose backward its value is made again, since it left its buffer after forward; SCHEME_NONE: it stays.
    int again_before;
    bool asks_again; // values are made again before its backward
    OpCost cost;     // of what runs
} SchemeNode;

typedef struct Scheme {
    int count;             // nodes 0…output
    SchemeNode *nodes;     // [count]
    LayoutBuffer *buffers; // [buffer_count]
    size_t buffer_count;
    size_t bytes; // of the arena
    double forward_flops, backward_flops;
} Scheme;

// The most rows that a node's value may have.
int64_t plan_rows(const Graph *graph, const PlanOptions *options, int node);
// Whether the node's value lies as a pattern's numbers.
bool plan_has_pattern(const Graph *graph, const PlanOptions *options, int node);
// ERR_INVALID: no such output, no rows, a pattern that not all can read, or rows in several passes that cannot come so; ERR_TOO_LARGE: a tensor beyond INT32_MAX elements, or all
// of them together.
int scheme_make(const Graph *graph, const PlanOptions *options, Scheme *ret_scheme);
void scheme_finish(Scheme *scheme);
// Whether a gradient has to reach each node: needs [count], of which those with !active are left
// alone.
void scheme_needs(const Graph *graph, bool want_inputs, SchemeNode *nodes, int count);
