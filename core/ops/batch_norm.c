// Batch normalisation per channel (last axis), over the batch and every axis between.
//
//   training:  m = mean(x), v = mean((x − m)²)     of this batch; n values a channel
//   otherwise: m, v = moving_mean, moving_variance
//   x̂ = (x − m) / √(v + ε)     y = γ x̂ + β
//   moving ← momentum · moving + (1 − momentum) · (m, v · n / (n − 1))
//
//   dβ = Σ dy     dγ = Σ dy x̂     training: dx = γ/√(v+ε) · (dy − dβ/n − x̂ dγ/n);  otherwise dx =
//   γ/√(v+ε) · dy
//
// Sums are in double: a channel may have millions of values. A batch with one value a channel has
// no variance: it leaves the moving statistics alone.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"

enum { GAMMA, BETA, MOVING_MEAN, MOVING_VARIANCE };

static int batch_norm_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                            char why[OP_WHY]) {
    (void)params;
    if (inputs != 1 || input[0].rank < 1) {
        snprintf(why, OP_WHY, "batch normalisation needs an input with at least one axis");
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

static OpCost batch_norm_cost(const void *params, const OpExtent *extent, int inputs,
                              const Shape *input, const Shape *output) {
    (void)params;
    (void)inputs;
    (void)input;
    double elements = (double)extent->rows * (double)shape_elements(output);
    size_t channels = (size_t)shape_last(output);
    return (OpCost){.forward_flops = 6 * elements,
                    .backward_flops = 9 * elements,
                    .saved_bytes = 2 * channels * sizeof(Real),      // mean, 1 / √(v + ε)
                    .scratch_bytes = 2 * channels * sizeof(double)}; // two sums a channel
}

// mean [channels] and variance [channels] of x [rows, channels], the latter around the former.
static void batch_statistics(const Real *x, size_t rows, size_t channels, double *mean,
                             double *variance) {
    memset(mean, 0, channels * sizeof(double));
    memset(variance, 0, channels * sizeof(double));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++)
            mean[c] += x[r * channels + c];
    for (size_t c = 0; c < channels; c++)
        mean[c] /= (double)rows;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) {
            double d = x[r * channels + c] - mean[c];
            variance[c] += d * d;
        }
    for (size_t c = 0; c < channels; c++)
        variance[c] /= (double)rows;
}

static void batch_norm_forward(const OpCall *call) {
    const BatchNormParams *params = call->params;
    size_t channels = op_width(&call->output), rows = op_rows(&call->output);
    const Real *x = call->input[0].data; // [rows, channels]
    Real *y = call->output.data;
    Real *moving_mean = call->weight[MOVING_MEAN].data;
    Real *moving_variance = call->weight[MOVING_VARIANCE].data;
    Real *mean = call->saved, *inverse = mean + channels;
    if (call->context->training) {
        double *m = call->scratch, *v = m + channels, old = params->momentum;
        batch_statistics(x, rows, channels, m, v);
        double unbiased = rows > 1 ? (double)rows / (double)(rows - 1) : 0;
        for (size_t c = 0; c < channels; c++) {
            mean[c] = (Real)m[c];
            inverse[c] = (Real)(1 / sqrt(v[c] + params->epsilon));
            if (rows > 1) {
                moving_mean[c] = (Real)(old * moving_mean[c] + (1 - old) * m[c]);
                moving_variance[c] = (Real)(old * moving_variance[c] + (1 - old) * v[c] * unbiased);
            }
        }
    } else {
        for (size_t c = 0; c < channels; c++) {
            mean[c] = moving_mean[c];
            inverse[c] = (Real)(1 / sqrt(moving_variance[c] + params->epsilon));
        }
    }
    const Real *gamma = call->weight[GAMMA].data, *beta = call->weight[BETA].data;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++)
            y[r * channels + c] =
                (x[r * channels + c] - mean[c]) * (inverse[c] * gamma[c]) + beta[c];
}

static void batch_norm_backward(const OpCall *call) {
    size_t channels = op_width(&call->output), rows = op_rows(&call->output);
    const Real *x = call->input[0].data, *dy = call->output_gradient.data; // [rows, channels]
    const Real *gamma = call->weight[GAMMA].data;
    const Real *mean = call->saved, *inverse = mean + channels;
    double *sum = call->scratch, *sum_normal = sum + channels; // Σ dy, Σ dy x̂
    memset(sum, 0, 2 * channels * sizeof(double));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) {
            Real g = dy[r * channels + c];
            sum[c] += g;
            sum_normal[c] += g * ((x[r * channels + c] - mean[c]) * inverse[c]);
        }
    Real *d_gamma = call->weight_gradient[GAMMA].data, *d_beta = call->weight_gradient[BETA].data;
    for (size_t c = 0; c < channels; c++) {
        if (d_gamma != NULL)
            d_gamma[c] = (Real)sum_normal[c];
        if (d_beta != NULL)
            d_beta[c] = (Real)sum[c];
    }
    Real *dx = call->input_gradient[0].data; // [rows, channels]; may be dy
    if (dx == NULL)
        return;
    // Outside training mean and variance do not depend on x, and their two terms fall away.
    double share = call->context->training ? 1 / (double)rows : 0;
    for (size_t c = 0; c < channels; c++) {
        sum[c] *= share;
        sum_normal[c] *= share;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) {
            size_t i = r * channels + c;
            Real normal = (x[i] - mean[c]) * inverse[c];
            dx[i] = (dy[i] - (Real)sum[c] - normal * (Real)sum_normal[c]) * (gamma[c] * inverse[c]);
        }
}

const OpDesc op_batch_norm = {
    .name = "batch_norm",
    .reference = "Ioffe & Szegedy 2015: Batch Normalization, algorithm 1",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = batch_norm_shape,
    .cost = batch_norm_cost,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
};
