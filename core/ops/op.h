// Differentiable operators: what the graph runs.
//
// An operator is one file that defines one `const OpDesc op_NAME`. It reads its inputs and weights,
// writes its output, and in the backward pass, given dL/d(output), writes dL/d(input) and
// dL/d(weight).
//
//   - Backward OVERWRITES every gradient it writes. Where an output has several readers the graph
//   sums their
//     gradients itself; so no gradient ever needs clearing, and none can be left over from the step
//     before.
//   - Nothing allocates: what must live from forward to backward goes to `saved`, what lives within
//   one call
//     to `scratch`; both are sized by `cost` when the graph is planned.
//   - Input i's gradient is NULL where nobody needs it (data, frozen layers below); then it is not
//   computed.
//   - The first axis of every tensor is the batch: its rows, or the nodes of its graphs. A plan is made for at most so
//   many; a call has 1…max.
//   - Rows may be sequences of different lengths in one tensor [rows, time, …]: what stands behind a row's length is
//   padding. An operator that mixes steps (recurrence, attention, pooling, statistics) must not let padding reach any
//   step that counts, and writes gradients of 0 there; one that works at each step alone need not look. Values
//   there are any finite numbers, never left unwritten: a gradient of 0 times a NaN would not be 0.
//
// An operator's parameters are a plain struct of its own, made by the layer that adds it.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "core/base/parallel.h"
#include "core/base/real.h"
#include "core/tensor/adjacency.h"
#include "core/tensor/pattern.h"
#include "core/tensor/tensor.h"

enum { OP_INPUTS_MAX = 16, OP_WEIGHTS_MAX = 8, OP_WHY = 256 };

// What holds for a whole pass.
typedef struct OpContext {
    bool training;        // batch statistics, dropout on
    bool without_dropout; // no dropout even in training; ask op_drops
    uint64_t seed;        // with step and node: the key of dropout's random numbers
    int64_t step;         // from 1
    Parallel *parallel;
    const int32_t *lengths; // [rows] steps of each input row that are data, ≥ 0; NULL: all are
    const Adjacency *adjacency; // where the input's rows are nodes; else NULL
    const Pattern
        *pattern; // where the input comes as the numbers of a matrix of mostly zeros; else NULL
} OpContext;

// Whether an operator with this rate drops anything in the pass.
static inline bool op_drops(const OpContext *context, double rate) {
    return context->training && !context->without_dropout && rate > 0;
}

typedef struct OpCall {
    const OpContext *context;
    const void *params;
    int node; // its index in the graph
    const int32_t
        *lengths; // [rows] of input 0, whose first row axis is time then; NULL: no padding
    const Pattern *pattern; // input 0's data are this matrix's numbers, [entries]; NULL: all of it
    int inputs, weights;    // how many
    const Tensor *input;    // [inputs] values
    const Tensor *input_gradient; // [inputs] written by backward unless data is NULL
    Tensor output;
    Tensor output_gradient; // read by backward
    const Tensor *weight;   // [weights] values; states (moving_mean) may be written in training
    const Tensor
        *weight_gradient; // [weights] written by backward unless data is NULL (frozen, or a state)
    void *saved;          // written by forward, read by backward
    void *carried; // what the passes before left of each row, see `carries`; NULL: rows come whole
    void *scratch; // for the length of a call
} OpCall;

// What a call may have at most.
typedef struct OpExtent {
    int64_t rows;        // first axis of input 0
    int64_t edges;       // of the batch's graphs
    int64_t entries;     // of input 0's pattern; 0: it has none
    int64_t output_rows; // first axis of the output: other than `rows` where nodes are pooled
    // What backward has to give: a first layer no input gradients, a frozen one none of its weights. It tells on
    // backward_flops alone.
    bool wants_inputs, wants_weights;
} OpExtent;

// How many of backward's two halves have to be computed, of an operator whose halves cost alike.
static inline int op_halves(const OpExtent *extent) {
    return extent->wants_inputs + extent->wants_weights;
}

// What a call costs, stated for the plan and for the estimates that users see.
typedef struct OpCost {
    double forward_flops; // a multiply-add is 2
    double backward_flops;
    size_t saved_bytes;
    size_t scratch_bytes;
} OpCost;

typedef struct OpDesc {
    const char *name;
    const char *reference;      // formula, and where it comes from
    bool backward_reads_inputs; // which forward values must live until its backward
    bool backward_reads_output;
    bool in_place; // forward may write its output over input 0, and backward input 0's gradient
                   // over the output's
    bool reads_adjacency; // its rows are nodes, and it needs their edges
    bool skips_padding;   // its arithmetic is that of the steps that are data
    bool pools_nodes;     // reads a row for each node, gives one for each graph
    bool reads_pattern;   // its one input may come as a pattern's numbers; it then has no gradient
    bool keeps_pattern;   // … and the output is of the same pattern

    // Row shapes, without the batch axis. Returns 0, or ERR_INVALID with a sentence in `why`, in
    // the user's terms.
    int (*shape)(const void *params, int inputs, const Shape *input, Shape *ret_output,
                 char why[OP_WHY]);
    // Of how many steps are data in the output, where `length` of input 0's are; negative: the output's first row
    // axis is not time any more. NULL: as many.
    int64_t (*length)(const void *params, const Shape *input, int64_t length);
    // Whether rows may come in several passes, some steps in each: outside training, and where a step needs nothing of those
    // before it but what forward keeps in OpCall.carried, 0 at first; ret_bytes: of that, for each row. NULL: no.
    bool (*carries)(const void *params, const Shape *input, size_t *ret_bytes);
    // Shapes without the batch axis.
    OpCost (*cost)(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                   const Shape *output);
    void (*forward)(const OpCall *call);
    void (*backward)(const OpCall *call);
    // Writes forward's output once more, bit for bit, from its one input, the weights and `saved`, in a small part of the time that
    // the operators beside it take: where memory is dear a plan drops the output and makes it again for backward. NULL: it cannot.
    void (*again)(const OpCall *call);
} OpDesc;
