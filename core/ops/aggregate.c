// What a node takes from itself and its neighbours: a weighted sum over the edges that come in.
//
//   y_v = outer_v · (self · inner_v · x_v + Σ_{u→v} inner_u · x_u) + bias
//
//   AGGREGATE_GCN   D^-1/2 (A + I) D^-1/2 x: self = 1, inner_v = outer_v = 1 / √(1 + edges into v)
//   AGGREGATE_MEAN  the mean over the neighbours: self = 0, inner = 1, outer_v = 1 / edges into v,
//                   0 where there are none
//   AGGREGATE_SUM   (1 + ε) x_v + Σ x_u: self = 1 + ε, inner = outer = 1
//
//   dx_u = inner_u · (self · outer_u · dy_u + Σ_{u→v} outer_v · dy_v)
//   dε = Σ_v dy_v · x_v      dbias = Σ_v dy_v
//
// Kipf and Welling's graphs are undirected; here a directed edge carries its source's numbers to its
// target, and D counts what comes in, the node itself included.
//
// Both ways are gathers: every node's sum is one thread's, in the order of its edges, so results do
// not depend on the threads.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"

enum { BLOCK = 16 }; // columns that are summed in registers

static int aggregate_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                           char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank != 1) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "it reads nodes of one row of features each, not %s",
                 shape_text(&input[0], text));
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost aggregate_cost(const void *params, const OpExtent *extent, int inputs,
                             const Shape *input, const Shape *output) {
    (void)inputs;
    (void)input;
    const AggregateParams *aggregate = params;
    double sums = (double)(extent->rows + extent->edges) * (double)shape_elements(output);
    size_t rows = (size_t)extent->rows;
    bool learned = aggregate->kind == AGGREGATE_SUM;
    return (OpCost){.forward_flops = 2 * sums,
                    .backward_flops = (learned ? 4 : 2) * sums,
                    .saved_bytes = 2 * rows * sizeof(Real), // inner, outer
                    .scratch_bytes = learned ? rows * sizeof(double) : 0};
}

// The weighted gather in one direction: y_v = outer_v · (self_v · x_v + Σ inner_u · x_u).
typedef struct Gather {
    const int32_t *first, *from; // of each node, the nodes it sums
    const Real *inner, *outer;   // [nodes]
    const Real *self_inner, *x;  // self_v = self · self_inner_v
    Real self;
    const Real *bias; // [width], or NULL
    Real *y;
    size_t width;
} Gather;

// `columns` of the sum for node v, of x's columns from `begin` on.
static inline void sum_columns(const Gather *gather, size_t v, size_t begin, size_t columns,
                               Real *restrict sum) {
    const Real *restrict own = gather->x + v * gather->width + begin;
    Real self = gather->self * gather->self_inner[v];
    for (size_t c = 0; c < columns; c++)
        sum[c] = self * own[c];
    for (int32_t e = gather->first[v]; e < gather->first[v + 1]; e++) {
        size_t u = (size_t)gather->from[e];
        const Real *restrict x = gather->x + u * gather->width + begin;
        Real inner = gather->inner[u];
        for (size_t c = 0; c < columns; c++)
            sum[c] += inner * x[c];
    }
}

static void gather_nodes(void *context, size_t begin, size_t end, int piece) {
    (void)piece;
    const Gather *gather = context;
    size_t width = gather->width, whole = width - width % BLOCK;
    for (size_t v = begin; v < end; v++) {
        Real *restrict y = gather->y + v * width;
        Real outer = gather->outer[v];
        Real sum[BLOCK];
        for (size_t c = 0; c < whole; c += BLOCK) {
            sum_columns(gather, v, c, BLOCK, sum);
            for (size_t k = 0; k < BLOCK; k++)
                y[c + k] = outer * sum[k];
        }
        if (whole < width)
            sum_columns(gather, v, whole, width - whole, sum);
        for (size_t c = whole; c < width; c++)
            y[c] = outer * sum[c - whole];
        for (size_t c = 0; gather->bias != NULL && c < width; c++)
            y[c] += gather->bias[c];
    }
}

static void gather_run(const OpCall *call, Gather *gather) {
    const Adjacency *graph = call->context->adjacency;
    size_t nodes = (size_t)graph->nodes;
    size_t work = gather->width * (1 + (size_t)graph->edges / nodes);
    parallel_for(call->context->parallel, nodes, parallel_grain(work), gather_nodes, gather);
}

// inner and outer [nodes] of the kind.
static void find_factors(const OpCall *call, Real *inner, Real *outer) {
    const AggregateParams *params = call->params;
    const Adjacency *graph = call->context->adjacency;
    for (int64_t v = 0; v < graph->nodes; v++) {
        int32_t edges = graph->first_in[v + 1] - graph->first_in[v];
        inner[v] = outer[v] = 1;
        if (params->kind == AGGREGATE_GCN)
            inner[v] = outer[v] = (Real)(1 / sqrt(1.0 + edges));
        else if (params->kind == AGGREGATE_MEAN)
            outer[v] = edges > 0 ? 1 / (Real)edges : 0;
    }
}

static const Tensor *epsilon_of(const OpCall *call, const Tensor *weights) {
    return ((const AggregateParams *)call->params)->kind == AGGREGATE_SUM ? &weights[0] : NULL;
}

static const Tensor *bias_of(const OpCall *call, const Tensor *weights) {
    int before = epsilon_of(call, weights) != NULL;
    return call->weights > before ? &weights[before] : NULL;
}

static Real self_weight(const OpCall *call) {
    const Tensor *epsilon = epsilon_of(call, call->weight);
    if (epsilon != NULL)
        return 1 + epsilon->data[0];
    return ((const AggregateParams *)call->params)->kind == AGGREGATE_GCN ? 1 : 0;
}

static void aggregate_forward(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    const Tensor *bias = bias_of(call, call->weight);
    Real *inner = call->saved, *outer = inner + graph->nodes;
    find_factors(call, inner, outer);
    Gather gather = {.first = graph->first_in,
                     .from = graph->source,
                     .inner = inner,
                     .outer = outer,
                     .self_inner = inner,
                     .self = self_weight(call),
                     .x = call->input[0].data,
                     .bias = bias == NULL ? NULL : bias->data,
                     .y = call->output.data,
                     .width = op_width(&call->output)};
    gather_run(call, &gather);
}

// dy_v · x_v of each node, into the scratch.
static void dot_nodes(void *context, size_t begin, size_t end, int piece) {
    (void)piece;
    const OpCall *call = context;
    size_t width = op_width(&call->output);
    double *dots = call->scratch; // [nodes]
    for (size_t v = begin; v < end; v++) {
        const Real *restrict x = call->input[0].data + v * width;
        const Real *restrict dy = call->output_gradient.data + v * width;
        double sum = 0;
        for (size_t c = 0; c < width; c++)
            sum += (double)(dy[c] * x[c]);
        dots[v] = sum;
    }
}

static void epsilon_backward(const OpCall *call, Real *d_epsilon) {
    size_t nodes = op_rows(&call->output);
    parallel_for(call->context->parallel, nodes, parallel_grain(op_width(&call->output)), dot_nodes,
                 (void *)call);
    double sum = 0;
    const double *dots = call->scratch;
    for (size_t v = 0; v < nodes; v++)
        sum += dots[v];
    *d_epsilon = (Real)sum;
}

static void aggregate_backward(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    const Tensor *d_epsilon = epsilon_of(call, call->weight_gradient);
    const Tensor *d_bias = bias_of(call, call->weight_gradient);
    const Tensor *dy = &call->output_gradient;
    if (d_epsilon != NULL && d_epsilon->data != NULL)
        epsilon_backward(call, d_epsilon->data);
    if (d_bias != NULL && d_bias->data != NULL)
        kernel_sum_rows(dy->data, d_bias->data, op_rows(dy), op_width(dy));
    if (call->input_gradient[0].data == NULL)
        return;
    const Real *inner = call->saved, *outer = inner + graph->nodes;
    Gather gather = {.first = graph->first_out,
                     .from = graph->target,
                     .inner = outer,
                     .outer = inner,
                     .self_inner = outer,
                     .self = self_weight(call),
                     .x = dy->data,
                     .y = call->input_gradient[0].data,
                     .width = op_width(dy)};
    gather_run(call, &gather);
}

const OpDesc op_aggregate = {
    .name = "aggregate",
    .reference = "y = D^-1/2 (A + I) D^-1/2 x: Kipf & Welling 2017, eq. 2; mean over neighbours: "
                 "Hamilton et al. 2017, algorithm 1",
    .reads_adjacency = true,
    .shape = aggregate_shape,
    .cost = aggregate_cost,
    .forward = aggregate_forward,
    .backward = aggregate_backward,
};

const OpDesc op_aggregate_sum = {
    .name = "aggregate_sum",
    .reference = "y = (1 + epsilon) x + sum over neighbours: Xu et al. 2019, eq. 4.1",
    .backward_reads_inputs = true,
    .reads_adjacency = true,
    .shape = aggregate_shape,
    .cost = aggregate_cost,
    .forward = aggregate_forward,
    .backward = aggregate_backward,
};
