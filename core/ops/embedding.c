// Rows of a table by their numbers: y[i, :] = E[id_i, :], E [vocabulary, units].
//
//   dE[v, :] = Σ_{i: id_i = v} dy[i, :]        an id has no gradient: 0
//
// Ids come as Reals, which hold every whole number up to 2²⁴; a fraction is cut off. Data is checked
// when it is read, but a trace brings its user's own numbers: what is no id of the table (negative,
// beyond it, NaN) gives zeros and teaches nothing, so it touches no memory and no other row.
//
// Backward is split by columns: every thread adds all the steps in their order to columns of its
// own, so the sums do not depend on the threads.
#include "core/ops/ops.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"

enum { NO_ROW = -1 };

static int embedding_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                           char why[OP_WHY]) {
    const EmbeddingParams *embedding = params;
    if (inputs != 1 || input[0].rank != 1) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "an embedding reads a row of token ids [time], not %s",
                 shape_text(&input[0], text));
        return ERR_INVALID;
    }
    *ret_output = SHAPE(input[0].dim[0], embedding->units);
    return OK;
}

static bool embedding_carries(const void *params, const Shape *input, size_t *ret_bytes) {
    (void)params;
    (void)input;
    *ret_bytes = 0;
    return true;
}

static OpCost embedding_cost(const void *params, const OpExtent *extent, int inputs,
                             const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    return (OpCost){.backward_flops = extent->wants_weights ? elements : 0};
}

static int64_t row_of(Real id, size_t vocabulary) {
    return id >= 0 && id < (Real)vocabulary ? (int64_t)id : NO_ROW;
}

static void copy_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t units = op_width(&call->output), vocabulary = op_rows(&call->weight[0]);
    for (size_t i = begin; i < end; i++) {
        Real *y = call->output.data + i * units;
        int64_t row = row_of(call->input[0].data[i], vocabulary);
        if (row == NO_ROW)
            memset(y, 0, units * sizeof(Real));
        else
            memcpy(y, call->weight[0].data + (size_t)row * units, units * sizeof(Real));
    }
}

static void embedding_forward(const OpCall *call) {
    op_for_rows(call, op_width(&call->output), copy_rows);
}

static void add_columns(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t units = op_width(&call->output), places = op_rows(&call->output);
    size_t vocabulary = op_rows(&call->weight[0]);
    Real *gradient = call->weight_gradient[0].data; // [vocabulary, units]
    for (size_t v = 0; v < vocabulary; v++)
        memset(gradient + v * units + begin, 0, (end - begin) * sizeof(Real));
    for (size_t i = 0; i < places; i++) {
        int64_t row = row_of(call->input[0].data[i], vocabulary);
        if (row == NO_ROW)
            continue;
        Real *restrict sum = gradient + (size_t)row * units;
        const Real *restrict dy = call->output_gradient.data + i * units;
        for (size_t c = begin; c < end; c++)
            sum[c] += dy[c];
    }
}

static void embedding_backward(const OpCall *call) {
    if (call->weight_gradient[0].data != NULL) {
        size_t rows = op_rows(&call->output) + op_rows(&call->weight[0]);
        parallel_for(call->context->parallel, op_width(&call->output), parallel_grain(rows),
                     add_columns, (void *)call);
    }
    Real *dx = call->input_gradient[0].data;
    if (dx != NULL)
        memset(dx, 0, op_elements(&call->input[0]) * sizeof(Real));
}

const OpDesc op_embedding = {
    .name = "embedding",
    .reference = "y = row id of the table; Bengio et al. 2003: A Neural Probabilistic Language "
                 "Model, section 2",
    .backward_reads_inputs = true,
    .shape = embedding_shape,
    .carries = embedding_carries,
    .cost = embedding_cost,
    .forward = embedding_forward,
    .backward = embedding_backward,
};
