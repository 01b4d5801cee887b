// The greatest of the neighbours' numbers, feature by feature.
//
//   y_v,c = max_{u→v} x_u,c      0 where no edge comes in
//   dx_u,c = Σ_{u→v} dy_v,c · [u gave y_v,c]      of equal numbers the lowest-numbered source's counts
//
// Who gave each number is kept, so that the way back is a gather too.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"

enum { NOBODY = -1 };

static int neighbor_max_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
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

static OpCost neighbor_max_cost(const void *params, const OpExtent *extent, int inputs,
                                const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double features = (double)shape_elements(output);
    return (OpCost){.forward_flops = (double)extent->edges * features,
                    .backward_flops = 2 * (double)extent->edges * features,
                    .saved_bytes = (size_t)extent->rows * (size_t)features * sizeof(int32_t)};
}

static size_t node_work(const OpCall *call) {
    const Adjacency *graph = call->context->adjacency;
    return op_width(&call->output) * (1 + (size_t)(graph->edges / graph->nodes));
}

VECTOR_LOOPS static void choose_greatest(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const Adjacency *graph = call->context->adjacency;
    size_t width = op_width(&call->output);
    for (size_t v = begin; v < end; v++) {
        Real *restrict y = call->output.data + v * width;
        int32_t *restrict giver = (int32_t *)call->saved + v * width;
        int32_t e = graph->first_in[v];
        if (e == graph->first_in[v + 1]) {
            for (size_t c = 0; c < width; c++) {
                y[c] = 0;
                giver[c] = NOBODY;
            }
            continue;
        }
        memcpy(y, call->input[0].data + (size_t)graph->source[e] * width, width * sizeof(Real));
        for (size_t c = 0; c < width; c++)
            giver[c] = graph->source[e];
        while (++e < graph->first_in[v + 1]) {
            int32_t u = graph->source[e];
            const Real *restrict x = call->input[0].data + (size_t)u * width;
            for (size_t c = 0; c < width; c++) {
                // A NaN stays once it is there, so that it is seen.
                bool greater = !(x[c] <= y[c]) && y[c] == y[c];
                giver[c] = greater ? u : giver[c];
                y[c] = greater ? x[c] : y[c];
            }
        }
    }
}

static void neighbor_max_forward(const OpCall *call) {
    parallel_for(call->context->parallel, op_rows(&call->output), parallel_grain(node_work(call)),
                 choose_greatest, (void *)call);
}

VECTOR_LOOPS static void return_to_givers(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const Adjacency *graph = call->context->adjacency;
    size_t width = op_width(&call->output);
    for (size_t u = begin; u < end; u++) {
        Real *restrict dx = call->input_gradient[0].data + u * width;
        memset(dx, 0, width * sizeof(Real));
        for (int32_t e = graph->first_out[u]; e < graph->first_out[u + 1]; e++) {
            size_t v = (size_t)graph->target[e];
            const Real *restrict dy = call->output_gradient.data + v * width;
            const int32_t *restrict giver = (const int32_t *)call->saved + v * width;
            for (size_t c = 0; c < width; c++)
                dx[c] += giver[c] == (int32_t)u ? dy[c] : 0;
        }
    }
}

static void neighbor_max_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        parallel_for(call->context->parallel, op_rows(&call->output),
                     parallel_grain(node_work(call)), return_to_givers, (void *)call);
}

const OpDesc op_neighbor_max = {
    .name = "neighbor_max",
    .reference = "y = max over neighbours; Hamilton et al. 2017: Inductive Representation Learning "
                 "on Large Graphs, section 3.3",
    .reads_adjacency = true,
    .shape = neighbor_max_shape,
    .cost = neighbor_max_cost,
    .forward = neighbor_max_forward,
    .backward = neighbor_max_backward,
};
