// The operators and their parameters. Shapes are those of one row; `…` stands for any leading axes.
#pragma once
#include "core/activations/activations.h"
#include "core/ops/op.h"
#include "core/ops/window.h"

// y […, units] = x […, in] · kernel [in, units] (+ bias [units]), at each of the leading axes'
// places. Weights: kernel, and bias where there is one.
typedef struct LinearParams {
    int64_t units;
} LinearParams;
extern const OpDesc op_linear;

// y = f(x), any shape. Weight: alpha [last axis] where the activation learns it.
typedef struct ActivateParams {
    const ActivationDesc *activation;
    Real alpha; // of activations that have one that is not learned
} ActivateParams;
extern const OpDesc op_activate_by_output; // f' from y: the plan may write y over x
extern const OpDesc op_activate_by_input;  // f' needs x too
const OpDesc *activate_op(const ActivationDesc *activation); // which of the two it is

// y = Σ inputs, all of one shape. Two inputs or more; no parameters, no weights.
extern const OpDesc op_add;

// y [time, units] = x [time, units] + p [time, units], the same p for every row. Weight: p, unless
// `table` is.
typedef struct AddPositionsParams {
    const Real *table; // [time, units], lives as long as the graph; NULL: p is a weight
} AddPositionsParams;
extern const OpDesc op_add_positions;

// y […, count · units] = [x · W_1 + b_1, …, x · W_count + b_count] at each of the leading axes' places.
// Weights: W_1 [in, units], b_1 [units], W_2, ….
typedef struct JointLinearParams {
    int64_t count, units;
} JointLinearParams;
extern const OpDesc op_joint_linear;

// y [time, units] = attention over x [time, 3 · units] = queries, keys, values side by side, in `heads`
// parts of their columns. Steps behind a row's length are neither looked at nor computed.
typedef struct AttentionParams {
    int64_t heads;
    bool causal;    // no step looks at later ones
    double dropout; // of the attention probabilities, in training
} AttentionParams;
extern const OpDesc op_attention;

// y = Π inputs, all of one shape. Two inputs or more; no parameters, no weights.
extern const OpDesc op_multiply;

// Inputs one after the other along an axis; the other axes agree.
typedef struct ConcatParams {
    int axis; // of a row, from 0
} ConcatParams;
extern const OpDesc op_concat;

// y [time, units] = the rows of the table that x [time] names by their numbers, from 0; zeros where
// there is no such row. Weight: the table [vocabulary, units].
typedef struct EmbeddingParams {
    int64_t units;
} EmbeddingParams;
extern const OpDesc op_embedding;

// In training each element is 0 with probability `rate`, else multiplied by 1 / (1 − rate);
// otherwise y = x.
typedef struct DropoutParams {
    double rate; // [0, 1)
} DropoutParams;
extern const OpDesc op_dropout;

// y [features] of each node = a weighted sum of x [features] over the node and the sources of its edges:
// normalised by both ends' degrees, or the neighbours' mean; op_aggregate_sum: (1 + epsilon) times its
// own and the neighbours'. Weights: epsilon [1] of the sum, and bias [features] where there is one more.
typedef enum AggregateKind { AGGREGATE_GCN, AGGREGATE_MEAN, AGGREGATE_SUM } AggregateKind;
typedef struct AggregateParams {
    AggregateKind kind;
} AggregateParams;
extern const OpDesc op_aggregate;     // AGGREGATE_GCN, AGGREGATE_MEAN
extern const OpDesc op_aggregate_sum; // AGGREGATE_SUM

// y [features] of each node = the greatest of x [features] over the sources of its edges; 0 where it has
// none. No parameters, no weights.
extern const OpDesc op_neighbor_max;

// Attention of each node to itself and the sources of its edges: y [heads · units], or with the heads'
// mean [units], of x [heads · units]. Weights: source_attention, target_attention [heads, units], bias.
enum { GRAPH_ATTENTION_HEADS_MAX = 256 };
typedef struct GraphAttentionParams {
    int64_t heads;
    bool concat;    // the heads side by side; else their mean
    double dropout; // of the attention, in training; [0, 1)
    double negative_slope;
} GraphAttentionParams;
extern const OpDesc op_graph_attention;

// y = gamma · (x − mean) / √(variance + epsilon) + beta, mean and variance per channel (last axis)
// over all other axes. Weights: gamma, beta, and the states moving_mean, moving_variance, all
// [channels].
typedef struct BatchNormParams {
    double momentum; // weight of the old moving statistics
    double epsilon;
} BatchNormParams;
extern const OpDesc op_batch_norm;

// As batch_norm, with mean and variance over the last axis of each place. Weights: gamma, beta
// [last axis].
typedef struct LayerNormParams {
    double epsilon;
} LayerNormParams;
extern const OpDesc op_layer_norm;

// As batch_norm, with mean and variance over all places of a row and the channels of one group. Weights: gamma, beta
// [channels].
typedef struct GroupNormParams {
    double epsilon;
    int64_t groups; // divide the channels
} GroupNormParams;
extern const OpDesc op_group_norm;

// y = gamma · x / √(mean(x²) + epsilon), the mean over the last axis of each place. Weight: gamma [last axis].
typedef struct RmsNormParams {
    double epsilon;
} RmsNormParams;
extern const OpDesc op_rms_norm;

// Convolution of [time, channels] or [height, width, channels] with `filters` kernels. Weights: kernel
// [taps…, channels / groups, filters], and bias [filters] where there is one. Padded steps count as 0.
typedef struct ConvParams {
    Window window;
    int64_t filters, groups; // groups divide the channels and the filters
} ConvParams;
extern const OpDesc op_conv;

// The greatest (the mean) of each channel in every window; what is outside is left out. No weights.
typedef struct PoolParams {
    Window window;
} PoolParams;
extern const OpDesc op_max_pool;
extern const OpDesc op_avg_pool;

// [places…, channels] to [channels]: over all places of a row, or those of the steps that are data.
extern const OpDesc op_global_avg_pool;
extern const OpDesc op_global_max_pool;
// Rows of nodes to a row for each graph, of the same shape.
extern const OpDesc op_graph_avg_pool;
extern const OpDesc op_graph_max_pool;

// The same elements under another shape. Where the first axis stays and others follow it, it is still time.
typedef struct ReshapeParams {
    Shape shape;
} ReshapeParams;
extern const OpDesc op_reshape;

// Recurrence over the first axis, [time, in] → [time, units], or [units] without return_sequences: the state after a
// row's last step. Bidirectional: a second one from each row's last step to its first, its units behind the first one's.
// Padding leaves the state as it is and gives 0. Weights, for each direction: kernel [in, gates · units],
// recurrent_kernel [units, gates · units], bias [gates · units] (gru with reset_after: [2, gates · units]).
typedef struct RecurrentParams {
    int64_t units;
    bool return_sequences, bidirectional;
    bool relu;        // rnn: relu in place of tanh
    bool reset_after; // gru
} RecurrentParams;
extern const OpDesc op_rnn, op_lstm, op_gru;

// OpDesc.carries of an operator that works at each place of the leading axes alone.
static inline bool op_carries_nothing(const void *params, const Shape *input, size_t *ret_bytes) {
    (void)params;
    *ret_bytes = 0;
    return input->rank >= 2; // else time is the axis that it works on
}

// For the operators' own files: a tensor as a matrix, its last axis the columns.
static inline size_t op_width(const Tensor *tensor) {
    return (size_t)shape_last(&tensor->shape);
}
static inline size_t op_elements(const Tensor *tensor) {
    return (size_t)shape_elements(&tensor->shape);
}
static inline size_t op_rows(const Tensor *tensor) {
    return op_elements(tensor) / op_width(tensor);
}
// Splits the output's rows (see op_rows) among the threads, where a row's `work` in simple operations makes that
// worth while. body gets the call as its context.
static inline void op_for_rows(const OpCall *call, size_t work,
                               void (*body)(void *call, size_t begin, size_t end, int thread)) {
    parallel_for(call->context->parallel, op_rows(&call->output), parallel_grain(work), body,
                 (void *)call);
}
