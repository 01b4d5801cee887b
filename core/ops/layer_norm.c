// Layer normalisation over the last axis.
//
//   m = mean(x), v = mean((x − m)²)     over the `width` values of each place
//   x̂ = (x − m) / √(v + ε)     y = γ x̂ + β
//   dβ = Σ dy     dγ = Σ dy x̂     with g = dy γ:  dx = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε)
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"

enum { GAMMA, BETA };

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
    return (OpCost){.forward_flops = 7 * elements,
                    .backward_flops = 11 * elements,
                    .saved_bytes = 2 * places * sizeof(Real),     // mean, 1 / √(v + ε)
                    .scratch_bytes = 2 * width * sizeof(double)}; // dγ, dβ
}

static void layer_norm_forward(const OpCall *call) {
    const LayerNormParams *params = call->params;
    size_t width = op_width(&call->output), rows = op_rows(&call->output);
    const Real *gamma = call->weight[GAMMA].data, *beta = call->weight[BETA].data;
    Real *saved = call->saved; // [rows, 2]
    for (size_t r = 0; r < rows; r++) {
        const Real *x = call->input[0].data + r * width;
        Real *y = call->output.data + r * width; // may be x
        double sum = 0, squares = 0;
        for (size_t c = 0; c < width; c++)
            sum += x[c];
        double m = sum / (double)width;
        for (size_t c = 0; c < width; c++)
            squares += (x[c] - m) * (x[c] - m);
        Real mean = (Real)m, inverse = (Real)(1 / sqrt(squares / (double)width + params->epsilon));
        for (size_t c = 0; c < width; c++)
            y[c] = (x[c] - mean) * inverse * gamma[c] + beta[c];
        saved[2 * r] = mean;
        saved[2 * r + 1] = inverse;
    }
}

static void layer_norm_backward(const OpCall *call) {
    size_t width = op_width(&call->output), rows = op_rows(&call->output);
    const Real *gamma = call->weight[GAMMA].data;
    const Real *saved = call->saved; // [rows, 2]
    double *sum_gamma = call->scratch, *sum_beta = sum_gamma + width;
    memset(sum_gamma, 0, 2 * width * sizeof(double));
    for (size_t r = 0; r < rows; r++) {
        const Real *x = call->input[0].data + r * width;
        const Real *dy = call->output_gradient.data + r * width;
        Real mean = saved[2 * r], inverse = saved[2 * r + 1];
        double sum = 0, sum_normal = 0; // of g and g x̂
        for (size_t c = 0; c < width; c++) {
            Real normal = (x[c] - mean) * inverse;
            sum_gamma[c] += dy[c] * normal;
            sum_beta[c] += dy[c];
            sum += dy[c] * gamma[c];
            sum_normal += dy[c] * gamma[c] * normal;
        }
        if (call->input_gradient[0].data == NULL)
            continue;
        Real *dx = call->input_gradient[0].data + r * width; // may be dy
        Real share = (Real)(sum / (double)width), share_normal = (Real)(sum_normal / (double)width);
        for (size_t c = 0; c < width; c++) {
            Real normal = (x[c] - mean) * inverse;
            dx[c] = (dy[c] * gamma[c] - share - normal * share_normal) * inverse;
        }
    }
    Real *d_gamma = call->weight_gradient[GAMMA].data, *d_beta = call->weight_gradient[BETA].data;
    for (size_t c = 0; c < width; c++) {
        if (d_gamma != NULL)
            d_gamma[c] = (Real)sum_gamma[c];
        if (d_beta != NULL)
            d_beta[c] = (Real)sum_beta[c];
    }
}

const OpDesc op_layer_norm = {
    .name = "layer_norm",
    .reference = "Ba, Kiros, Hinton 2016: Layer Normalization, section 3",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = layer_norm_shape,
    .cost = layer_norm_cost,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
};
