// What a node takes from itself and its neighbours: a weighted sum over the edges that come in.
//
//   y_v = own_v · x_v + Σ_{u→v} w_uv · x_u + bias
//
//   AGGREGATE_GCN   D^-1/2 (A + I) D^-1/2 x: w_uv = 1 / √(d_u d_v), own_v = 1 / d_v, d = 1 + edges into it
//   AGGREGATE_MEAN  the mean over the neighbours, 0 without any: w_uv = 1 / edges into v, own = 0
//   AGGREGATE_SUM   (1 + ε) x_v + Σ x_u: w = 1, own = 1 + ε
//
//   dx_u = own_u · dy_u + Σ_{u→v} w_uv · dy_v      dε = Σ_v dy_v · x_v      dbias = Σ_v dy_v
//
// Kipf and Welling's graphs are undirected; here a directed edge carries its source's numbers to its
// target, and D counts what comes in, the node itself included.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/tensor/gather.h"
#include "core/tensor/kernels.h"

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
    bool learned = aggregate->kind == AGGREGATE_SUM;
    return (OpCost){.forward_flops = 2 * sums,
                    .backward_flops = (learned ? 4 : 2) * sums,
                    .saved_bytes = (size_t)(extent->edges + extent->rows) * sizeof(Real), // w, own
                    .scratch_bytes = (size_t)extent->rows * sizeof(Real)};                // roots
}

static const Tensor *epsilon_of(const OpCall *call, const Tensor *weights) {
    return ((const AggregateParams *)call->params)->kind == AGGREGATE_SUM ? &weights[0] : NULL;
}

static const Tensor *bias_of(const OpCall *call, const Tensor *weights) {
    int before = epsilon_of(call, weights) != NULL;
    return call->weights > before ? &weights[before] : NULL;
}

// roots [nodes]: 1 / √d.
VECTOR_LOOPS static void weigh_by_degrees(const Adjacency *graph, Real *restrict weight,
                                          Real *restrict own, Real *restrict roots) {
    const int32_t *restrict first = graph->first_in, *restrict source = graph->source;
    for (int64_t v = 0; v < graph->nodes; v++) {
        Real degree = (Real)(1 + first[v + 1] - first[v]);
        own[v] = 1 / degree;
        roots[v] = (Real)sqrt((double)own[v]);
    }
    for (int64_t v = 0; v < graph->nodes; v++)
        for (int32_t e = first[v]; e < first[v + 1]; e++)
            weight[e] = roots[source[e]] * roots[v];
}

static void weigh_by_count(const Adjacency *graph, Real *weight) {
    for (int64_t v = 0; v < graph->nodes; v++) {
        int32_t first = graph->first_in[v], end = graph->first_in[v + 1];
        Real share = end > first ? 1 / (Real)(end - first) : 0;
        for (int32_t e = first; e < end; e++)
            weight[e] = share;
    }
}

// weight [edges] and own [nodes] of the kind.
static void find_weights(const OpCall *call, Real *weight, Real *own) {
    const Adjacency *graph = call->context->adjacency;
    switch (((const AggregateParams *)call->params)->kind) {
    case AGGREGATE_GCN:
        weigh_by_degrees(graph, weight, own, call->scratch);
        break;
    case AGGREGATE_MEAN:
        weigh_by_count(graph, weight);
        break;
    case AGGREGATE_SUM:
        kernel_fill(weight, (size_t)graph->edges, 1);
        kernel_fill(own, (size_t)graph->nodes, 1 + epsilon_of(call, call->weight)->data[0]);
    }
}

// What both directions have in common.
static Gather gather_of(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    const Real *weight = call->saved;
    bool alone = ((const AggregateParams *)call->params)->kind != AGGREGATE_MEAN;
    return (Gather){.rows = (size_t)graph->nodes,
                    .x_rows = (size_t)graph->nodes,
                    .width = op_width(&call->output),
                    .weight = weight,
                    .own = alone ? weight + graph->edges : NULL};
}

static void aggregate_forward(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    const Tensor *bias = bias_of(call, call->weight);
    Real *weight = call->saved;
    find_weights(call, weight, weight + graph->edges);
    Gather gather = gather_of(call);
    gather.first = graph->first_in;
    gather.from = graph->source;
    gather.bias = bias == NULL ? NULL : bias->data;
    gather.x = call->input[0].data;
    gather.y = call->output.data;
    gather_rows(call->context->parallel, &gather);
}

static void aggregate_backward(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    const Tensor *d_epsilon = epsilon_of(call, call->weight_gradient);
    const Tensor *d_bias = bias_of(call, call->weight_gradient);
    const Tensor *dy = &call->output_gradient;
    if (d_epsilon != NULL && d_epsilon->data != NULL)
        *d_epsilon->data = (Real)kernel_dot(dy->data, call->input[0].data, op_elements(dy));
    if (d_bias != NULL && d_bias->data != NULL)
        kernel_sum_rows_parallel(call->context->parallel, dy->data, d_bias->data, op_rows(dy),
                                 op_width(dy));
    if (call->input_gradient[0].data == NULL)
        return;
    Gather gather = gather_of(call);
    gather.first = graph->first_out;
    gather.from = graph->target;
    gather.place = graph->place;
    gather.x = dy->data;
    gather.y = call->input_gradient[0].data;
    gather_rows(call->context->parallel, &gather);
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
