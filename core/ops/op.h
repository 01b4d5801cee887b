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
//   - The first axis of every tensor is the batch. A plan is made for at most `max_rows` rows; a
//   call has 1…max.
//
// An operator's parameters are a plain struct of its own, made by the layer that adds it.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "core/base/parallel.h"
#include "core/base/real.h"
#include "core/tensor/tensor.h"

enum { OP_INPUTS_MAX = 16, OP_WEIGHTS_MAX = 8, OP_WHY = 256 };

// What holds for a whole pass.
typedef struct OpContext {
    bool training; // batch statistics, dropout on
    uint64_t seed; // with step and node: the key of dropout's random numbers
    int64_t step;  // from 1
    Parallel *parallel;
} OpContext;

typedef struct OpCall {
    const OpContext *context;
    const void *params;
    int node;                     // its index in the graph
    int inputs, weights;          // how many
    const Tensor *input;          // [inputs] values
    const Tensor *input_gradient; // [inputs] written by backward unless data is NULL
    Tensor output;
    Tensor output_gradient; // read by backward
    const Tensor *weight;   // [weights] values; states (moving_mean) may be written in training
    const Tensor
        *weight_gradient; // [weights] written by backward unless data is NULL (frozen, or a state)
    void *saved;          // written by forward, read by backward
    void *scratch;        // for the length of a call
} OpCall;

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

    // Row shapes, without the batch axis. Returns 0, or ERR_INVALID with a sentence in `why`, in
    // the user's terms.
    int (*shape)(const void *params, int inputs, const Shape *input, Shape *ret_output,
                 char why[OP_WHY]);
    // At `rows` rows, shapes without the batch axis.
    OpCost (*cost)(const void *params, int64_t rows, int inputs, const Shape *input,
                   const Shape *output);
    void (*forward)(const OpCall *call);
    void (*backward)(const OpCall *call);
} OpDesc;
