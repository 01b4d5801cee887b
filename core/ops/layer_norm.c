// Layer normalisation over the last axis.
//
//   m = mean(x), v = mean((x − m)²)     over the `width` values of each place
//   x̂ = (x − m) / √(v + ε)     y = γ x̂ + β
//   dβ = Σ dy     dγ = Σ dy x̂     with g = dy γ:  dx = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε)
//
// Sums are in double: those over a place in LANES interleaved parts, so that the loops become vector
// code; those over all places, of dβ and dγ, column by column in the places' order, whatever the
// threads.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"

enum { GAMMA, BETA };
enum { LANES = 8, COLUMNS = 64 };                                 // of sums
enum { FORWARD_FLOPS = 7, BACKWARD_FLOPS = 7, WEIGHT_FLOPS = 4 }; // an element

static int layer_norm_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                            char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank < 1) {
        snprintf(why, OP_WHY, "layer normalisation needs an input with at least one axis");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost layer_norm_cost(const void *params, const OpExtent *extent, int inputs,
                              const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    size_t width = (size_t)shape_last(output);
    size_t places = (size_t)extent->rows * (size_t)shape_elements(output) / width;
    return (OpCost){.forward_flops = FORWARD_FLOPS * elements,
                    .backward_flops = (BACKWARD_FLOPS + WEIGHT_FLOPS) * elements,
                    .saved_bytes = 2 * places * sizeof(Real)}; // mean, 1 / √(v + ε)
}

static inline double add_lanes(const double lane[LANES]) {
    double sum = 0;
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

// y [rows, width] from x, which it may be; statistics [rows, 2] get mean and 1 / √(v + ε).
VECTOR_LOOPS static void normalise(const Real *x, Real *y, Real *statistics, size_t rows,
                                   size_t width, const Real *restrict gamma,
                                   const Real *restrict beta, double epsilon) {
    for (size_t r = 0; r < rows; r++, x += width, y += width) {
        double sum[LANES] = {0}, squares[LANES] = {0};
        size_t whole = width - width % LANES;
        for (size_t c = 0; c < whole; c += LANES)
            for (size_t l = 0; l < LANES; l++)
                sum[l] += (double)x[c + l];
        for (size_t c = whole; c < width; c++)
            sum[c - whole] += (double)x[c];
        double m = add_lanes(sum) / (double)width;
        for (size_t c = 0; c < whole; c += LANES)
            for (size_t l = 0; l < LANES; l++)
                squares[l] += ((double)x[c + l] - m) * ((double)x[c + l] - m);
        for (size_t c = whole; c < width; c++)
            squares[c - whole] += ((double)x[c] - m) * ((double)x[c] - m);
        Real mean = (Real)m;
        Real inverse = (Real)(1 / sqrt(add_lanes(squares) / (double)width + epsilon));
        for (size_t c = 0; c < width; c++)
            y[c] = (x[c] - mean) * inverse * gamma[c] + beta[c];
        statistics[2 * r] = mean;
        statistics[2 * r + 1] = inverse;
    }
}

static void forward_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    const LayerNormParams *params = call->params;
    size_t width = op_width(&call->output), at = begin * width;
    normalise(call->input[0].data + at, call->output.data + at, (Real *)call->saved + 2 * begin,
              end - begin, width, call->weight[GAMMA].data, call->weight[BETA].data,
              params->epsilon);
}

static void layer_norm_forward(const OpCall *call) {
    op_for_rows(call, FORWARD_FLOPS * op_width(&call->output), forward_rows);
}

// dx [rows, width] from dy, which it may be.
VECTOR_LOOPS static void pass_back(const Real *restrict x, const Real *dy, Real *dx,
                                   const Real *statistics, size_t rows, size_t width,
                                   const Real *restrict gamma) {
    for (size_t r = 0; r < rows; r++, x += width, dy += width, dx += width) {
        Real mean = statistics[2 * r], inverse = statistics[2 * r + 1];
        double sum[LANES] = {0}, sum_normal[LANES] = {0}; // of g and g x̂
        size_t whole = width - width % LANES;
        for (size_t c = 0; c < whole; c += LANES)
            for (size_t l = 0; l < LANES; l++) {
                Real g = dy[c + l] * gamma[c + l];
                sum[l] += (double)g;
                sum_normal[l] += (double)(g * ((x[c + l] - mean) * inverse));
            }
        for (size_t c = whole; c < width; c++) {
            Real g = dy[c] * gamma[c];
            sum[c - whole] += (double)g;
            sum_normal[c - whole] += (double)(g * ((x[c] - mean) * inverse));
        }
        Real share = (Real)(add_lanes(sum) / (double)width);
        Real share_normal = (Real)(add_lanes(sum_normal) / (double)width);
        for (size_t c = 0; c < width; c++) {
            Real normal = (x[c] - mean) * inverse;
            dx[c] = (dy[c] * gamma[c] - share - normal * share_normal) * inverse;
        }
    }
}

static void backward_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t width = op_width(&call->output), at = begin * width;
    pass_back(call->input[0].data + at, call->output_gradient.data + at,
              call->input_gradient[0].data + at, (const Real *)call->saved + 2 * begin, end - begin,
              width, call->weight[GAMMA].data);
}

// sum_gamma, sum_beta [columns] of x, dy [rows, columns], whose rows are `width` apart.
VECTOR_LOOPS static void sum_columns(const Real *restrict x, const Real *restrict dy,
                                     const Real *statistics, size_t rows, size_t width,
                                     size_t columns, double *restrict sum_gamma,
                                     double *restrict sum_beta) {
    for (size_t r = 0; r < rows; r++, x += width, dy += width) {
        Real mean = statistics[2 * r], inverse = statistics[2 * r + 1];
        for (size_t c = 0; c < columns; c++) {
            sum_gamma[c] += (double)(dy[c] * ((x[c] - mean) * inverse));
            sum_beta[c] += (double)dy[c];
        }
    }
}

// Of columns begin … end − 1: every thread adds all rows in their order.
static void weight_gradients(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    Real *d_gamma = call->weight_gradient[GAMMA].data, *d_beta = call->weight_gradient[BETA].data;
    double sum_gamma[COLUMNS], sum_beta[COLUMNS];
    for (size_t at = begin; at < end; at += COLUMNS) {
        size_t columns = end - at < COLUMNS ? end - at : COLUMNS;
        memset(sum_gamma, 0, sizeof(sum_gamma));
        memset(sum_beta, 0, sizeof(sum_beta));
        sum_columns(call->input[0].data + at, call->output_gradient.data + at, call->saved,
                    op_rows(&call->output), op_width(&call->output), columns, sum_gamma, sum_beta);
        for (size_t c = 0; c < columns; c++) {
            d_gamma[at + c] = (Real)sum_gamma[c];
            d_beta[at + c] = (Real)sum_beta[c];
        }
    }
}

static void layer_norm_backward(const OpCall *call) {
    // Before dx, which may be written over dy.
    if (call->weight_gradient[GAMMA].data != NULL)
        parallel_for(call->context->parallel, op_width(&call->output),
                     parallel_grain(WEIGHT_FLOPS * op_rows(&call->output)), weight_gradients,
                     (void *)call);
    if (call->input_gradient[0].data != NULL)
        op_for_rows(call, BACKWARD_FLOPS * op_width(&call->output), backward_rows);
}

const OpDesc op_layer_norm = {
    .name = "layer_norm",
    .reference = "Ba, Kiros, Hinton 2016: Layer Normalization, section 3",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = layer_norm_shape,
    .carries = op_carries_nothing,
    .cost = layer_norm_cost,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
};
