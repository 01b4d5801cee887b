// Root mean square normalisation over the last axis, at each place.
//
//   r = √(mean(x²) + ε)     y = γ x / r
//   dγ = Σ dy x / r     with g = dy γ:  dx = (g − x mean(g x) / r²) / r
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/ops/ops.h"
#include "core/tensor/kernels.h"

enum { LANES = 8 };

static int rms_norm_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                          char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank < 1) {
        snprintf(why, OP_WHY, "normalisation needs an input with at least one axis");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost rms_norm_cost(const void *params, const OpExtent *extent, int inputs,
                            const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    size_t elements = (size_t)extent->rows * (size_t)shape_elements(output);
    size_t width = (size_t)shape_last(output);
    return (OpCost){.forward_flops = 4 * (double)elements,
                    .backward_flops = 8 * (double)elements,
                    .saved_bytes = elements / width * sizeof(Real), // 1 / r
                    .scratch_bytes = width * sizeof(double)};       // dγ
}

// y = γ x · inverse; y may be x
VECTOR_LOOPS static void scale_place(const Real *x, const Real *gamma, Real inverse, size_t width,
                                     Real *y) {
#pragma GCC ivdep
    for (size_t c = 0; c < width; c++)
        y[c] = x[c] * inverse * gamma[c];
}

static void rms_norm_forward(const OpCall *call) {
    size_t width = op_width(&call->output), places = op_rows(&call->output);
    double epsilon = ((const RmsNormParams *)call->params)->epsilon;
    Real *inverse = call->saved; // [places]
    for (size_t p = 0; p < places; p++) {
        const Real *x = call->input[0].data + p * width;
        inverse[p] = (Real)(1 / sqrt(kernel_sum_squares(x, width) / (double)width + epsilon));
        scale_place(x, call->weight[0].data, inverse[p], width, call->output.data + p * width);
    }
}

// Adds dy x / r to sums [width]; returns Σ g x.
VECTOR_LOOPS static double sum_place(const Real *restrict x, const Real *restrict dy,
                                     const Real *restrict gamma, Real inverse, size_t width,
                                     double *restrict sums) {
    double lane[LANES] = {0};
    size_t whole = width - width % LANES;
    for (size_t c = 0; c < whole; c += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)(dy[c + j] * gamma[c + j]) * (double)x[c + j];
    for (size_t c = whole; c < width; c++)
        lane[c - whole] += (double)(dy[c] * gamma[c]) * (double)x[c];
    for (size_t c = 0; c < width; c++)
        sums[c] += (double)(dy[c] * inverse) * (double)x[c];
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// dx may be dy
VECTOR_LOOPS static void back_place(const Real *x, const Real *dy, const Real *gamma, Real inverse,
                                    Real slope, size_t width, Real *dx) {
#pragma GCC ivdep
    for (size_t c = 0; c < width; c++)
        dx[c] = dy[c] * gamma[c] * inverse - x[c] * slope;
}

static void rms_norm_backward(const OpCall *call) {
    size_t width = op_width(&call->output), places = op_rows(&call->output);
    const Real *gamma = call->weight[0].data, *inverse = call->saved;
    Real *dx = call->input_gradient[0].data, *d_gamma = call->weight_gradient[0].data;
    double *sums = call->scratch;
    memset(sums, 0, width * sizeof(double));
    for (size_t p = 0; p < places; p++) {
        const Real *x = call->input[0].data + p * width;
        const Real *dy = call->output_gradient.data + p * width;
        double r = (double)inverse[p], sum = sum_place(x, dy, gamma, inverse[p], width, sums);
        if (dx != NULL)
            back_place(x, dy, gamma, inverse[p], (Real)(r * r * r * sum / (double)width), width,
                       dx + p * width);
    }
    for (size_t c = 0; d_gamma != NULL && c < width; c++)
        d_gamma[c] = (Real)sums[c];
}

const OpDesc op_rms_norm = {
    .name = "rms_norm",
    .reference = "Zhang & Sennrich 2019: Root Mean Square Layer Normalization, eq. 4",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = rms_norm_shape,
    .carries = op_carries_nothing,
    .cost = rms_norm_cost,
    .forward = rms_norm_forward,
    .backward = rms_norm_backward,
};
