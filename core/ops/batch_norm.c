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
// Steps behind a row's length are no part of any sum; their y and dx are 0. A batch with one value a
// channel has no variance: it leaves the moving statistics alone.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/ops/normalise.h"
#include "core/ops/ops.h"

enum { GAMMA, BETA, MOVING_MEAN, MOVING_VARIANCE };
enum { REALS = 4 }; // arrays of one number a channel that a pass over the values reads

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
    size_t elements = (size_t)extent->rows * (size_t)shape_elements(output);
    size_t channels = (size_t)shape_last(output), width = norm_width(channels);
    return (OpCost){.forward_flops = 6 * (double)elements,
                    .backward_flops = 9 * (double)elements,
                    .saved_bytes = 2 * channels * sizeof(Real), // mean, 1 / √(v + ε)
                    .scratch_bytes =
                        width * (2 * norm_parts((size_t)extent->rows, elements) * sizeof(double) +
                                 REALS * sizeof(Real))};
}

// One pass over all values, in parts.
typedef struct Pass {
    const OpCall *call;
    size_t rows, row;              // of the batch; elements of one
    size_t channels, width, parts; // see normalise.h
    double *sums;                  // [parts, 2, width]
    Real *spread[REALS];           // [width] each
    void (*run)(const struct Pass *pass, size_t first, size_t count, double *sums);
} Pass;

static Pass pass_of(const OpCall *call) {
    Pass pass = {.call = call, .rows = (size_t)call->output.shape.dim[0]};
    pass.row = op_elements(&call->output) / pass.rows;
    pass.channels = op_width(&call->output);
    pass.width = norm_width(pass.channels);
    pass.parts = norm_parts(pass.rows, pass.rows * pass.row);
    pass.sums = call->scratch;
    void *behind = pass.sums + 2 * pass.parts * pass.width;
    for (int i = 0; i < REALS; i++)
        pass.spread[i] = (Real *)behind + (size_t)i * pass.width;
    return pass;
}

// Elements of row `row` that are data; the rest is padding.
static size_t data_of(const Pass *pass, size_t row) {
    if (pass->call->lengths == NULL)
        return pass->row;
    size_t time = (size_t)pass->call->output.shape.dim[1];
    return pass->row / time * (size_t)pass->call->lengths[row];
}

static void run_parts(void *context, size_t begin, size_t end, int thread) {
    const Pass *pass = context;
    (void)thread;
    for (size_t part = begin; part < end; part++) {
        size_t first = norm_part_begin(pass->rows, pass->parts, part);
        size_t last = norm_part_begin(pass->rows, pass->parts, part + 1);
        double *sums = pass->sums + 2 * part * pass->width;
        if (pass->call->lengths == NULL)
            pass->run(pass, first * pass->row, (last - first) * pass->row, sums);
        for (size_t r = first; pass->call->lengths != NULL && r < last; r++)
            pass->run(pass, r * pass->row, data_of(pass, r), sums);
    }
}

static void run(Pass *pass,
                void (*body)(const Pass *pass, size_t first, size_t count, double *sums)) {
    pass->run = body;
    parallel_for(pass->call->context->parallel, pass->parts, 1, run_parts, pass);
}

// As `run`, with sums [2, channels] that begin at 0 and are added up over the parts.
static void run_sums(Pass *pass,
                     void (*body)(const Pass *pass, size_t first, size_t count, double *sums)) {
    memset(pass->sums, 0, 2 * pass->parts * pass->width * sizeof(double));
    run(pass, body);
    double *total = pass->sums;
    for (size_t part = 1; part < pass->parts; part++)
        for (size_t i = 0; i < 2 * pass->width; i++)
            total[i] += total[2 * part * pass->width + i];
    norm_fold(total, pass->channels, pass->width);
    norm_fold(total + pass->width, pass->channels, pass->width);
}

// Values a channel.
static double values_of(const Pass *pass) {
    size_t elements = 0;
    for (size_t r = 0; r < pass->rows; r++)
        elements += data_of(pass, r);
    return (double)(elements / pass->channels);
}

static void spread(const Pass *pass) {
    for (int i = 0; i < REALS; i++)
        norm_spread(pass->spread[i], pass->channels, pass->width);
}

static void clear_padding(const Pass *pass, Real *values) {
    for (size_t r = 0; pass->call->lengths != NULL && r < pass->rows; r++) {
        size_t data = data_of(pass, r);
        memset(values + r * pass->row + data, 0, (pass->row - data) * sizeof(Real));
    }
}

// ---- forward ----

static void sum_moments(const Pass *pass, size_t first, size_t count, double *sums) {
    norm_moments(pass->call->input[0].data + first, count, pass->spread[0], pass->width, sums,
                 sums + pass->width);
}

static void apply(const Pass *pass, size_t first, size_t count, double *sums) {
    (void)sums;
    norm_apply(pass->call->input[0].data + first, count, pass->spread[0], pass->spread[1],
               pass->spread[2], pass->width, pass->call->output.data + first);
}

// From the sums over n values of each channel, which are of x − from. Of no values both are 0; fewer than two leave the
// moving statistics as they are.
VECTOR_LOOPS static void finish_moments(const BatchNormParams *params, size_t channels, double n,
                                        const double *restrict sum, const double *restrict squares,
                                        const Real *restrict from, Real *restrict mean,
                                        Real *restrict inverse, Real *restrict moving_mean,
                                        Real *restrict moving_variance) {
    double share = n > 0 ? 1 / n : 0, old = n > 1 ? params->momentum : 1;
    double unbiased = n > 1 ? n / (n - 1) : 0, epsilon = params->epsilon;
    for (size_t c = 0; c < channels; c++) {
        double offset = sum[c] * share, m = (double)from[c] + offset;
        double v = squares[c] * share - offset * offset;
        v = v < 0 ? 0 : v;
        mean[c] = (Real)m;
        inverse[c] = (Real)(1 / sqrt(v + epsilon));
        moving_mean[c] = (Real)(old * (double)moving_mean[c] + (1 - old) * m);
        moving_variance[c] = (Real)(old * (double)moving_variance[c] + (1 - old) * v * unbiased);
    }
}

// Mean and 1 / √(v + ε) of this batch to `saved`, and what it adds to the moving statistics.
static void measure(Pass *pass, Real *mean, Real *inverse) {
    const OpCall *call = pass->call;
    size_t first = 0; // row with data
    while (first + 1 < pass->rows && data_of(pass, first) == 0)
        first++;
    memcpy(pass->spread[0], call->input[0].data + first * pass->row, pass->channels * sizeof(Real));
    spread(pass);
    run_sums(pass, sum_moments);
    finish_moments(call->params, pass->channels, values_of(pass), pass->sums,
                   pass->sums + pass->width, pass->spread[0], mean, inverse,
                   call->weight[MOVING_MEAN].data, call->weight[MOVING_VARIANCE].data);
}

// The output, from the mean and 1 / √(v + ε) that are saved.
static void normalise(Pass *pass) {
    const OpCall *call = pass->call;
    const Real *mean = call->saved, *inverse = mean + pass->channels;
    for (size_t c = 0; c < pass->channels; c++) {
        pass->spread[0][c] = mean[c];
        pass->spread[1][c] = inverse[c] * call->weight[GAMMA].data[c];
        pass->spread[2][c] = call->weight[BETA].data[c];
    }
    spread(pass);
    run(pass, apply);
    clear_padding(pass, call->output.data);
}

static void batch_norm_forward(const OpCall *call) {
    const BatchNormParams *params = call->params;
    Pass pass = pass_of(call);
    Real *mean = call->saved, *inverse = mean + pass.channels;
    if (call->context->training) {
        measure(&pass, mean, inverse);
    } else {
        for (size_t c = 0; c < pass.channels; c++) {
            mean[c] = call->weight[MOVING_MEAN].data[c];
            inverse[c] =
                (Real)(1 / sqrt((double)call->weight[MOVING_VARIANCE].data[c] + params->epsilon));
        }
    }
    normalise(&pass);
}

static void batch_norm_again(const OpCall *call) {
    Pass pass = pass_of(call);
    normalise(&pass);
}

// ---- backward ----

static void sum_products(const Pass *pass, size_t first, size_t count, double *sums) {
    norm_products(pass->call->output_gradient.data + first, pass->call->input[0].data + first,
                  count, pass->spread[0], pass->width, sums, sums + pass->width);
}

static void apply_back(const Pass *pass, size_t first, size_t count, double *sums) {
    const OpCall *call = pass->call;
    (void)sums;
    norm_back(call->output_gradient.data + first, call->input[0].data + first, count,
              pass->spread[0], pass->spread[1], pass->spread[2], pass->spread[3], pass->width,
              call->input_gradient[0].data + first);
}

static void batch_norm_backward(const OpCall *call) {
    Pass pass = pass_of(call);
    const Real *gamma = call->weight[GAMMA].data;
    const Real *mean = call->saved, *inverse = mean + pass.channels;
    Real *d_gamma = call->weight_gradient[GAMMA].data, *d_beta = call->weight_gradient[BETA].data;
    memcpy(pass.spread[0], mean, pass.channels * sizeof(Real));
    spread(&pass);
    run_sums(&pass, sum_products);
    // Outside training mean and variance do not depend on x, and their two terms fall away.
    double n = values_of(&pass), share = call->context->training && n > 0 ? 1 / n : 0;
    const double *sum = pass.sums, *products = sum + pass.width;
    for (size_t c = 0; c < pass.channels; c++) {
        double scale = (double)inverse[c], sum_normal = products[c] * scale; // Σ dy x̂
        if (d_gamma != NULL)
            d_gamma[c] = (Real)sum_normal;
        if (d_beta != NULL)
            d_beta[c] = (Real)sum[c];
        pass.spread[1][c] = gamma[c] * inverse[c];
        pass.spread[2][c] = (Real)((double)gamma[c] * scale * scale * sum_normal * share);
        pass.spread[3][c] = (Real)((double)gamma[c] * scale * sum[c] * share);
    }
    if (call->input_gradient[0].data == NULL)
        return;
    spread(&pass);
    run(&pass, apply_back);
    clear_padding(&pass, call->input_gradient[0].data);
}

const OpDesc op_batch_norm = {
    .name = "batch_norm",
    .reference = "Ioffe & Szegedy 2015: Batch Normalization, algorithm 1",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = batch_norm_shape,
    .carries = op_carries_nothing,
    .cost = batch_norm_cost,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .again = batch_norm_again,
};
