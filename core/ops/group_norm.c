// Group normalisation: each row by itself, over all its places and the channels of one group.
//
//   m, v = mean and variance of the n values of a row and a group
//   x̂ = (x − m) / √(v + ε)     y = γ x̂ + β, γ and β per channel
//   dβ = Σ dy     dγ = Σ dy x̂     with g = dy γ:  dx = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε)
//
// Steps behind a row's length are no part of any sum; their y and dx are 0.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/ops/normalise.h"
#include "core/ops/ops.h"

enum { GAMMA, BETA };
enum { REALS = 4 }; // arrays of one number a channel that a pass over a row reads

static int group_norm_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                            char why[OP_WHY]) {
    int64_t groups = ((const GroupNormParams *)params)->groups;
    if (inputs != 1 || input[0].rank < 1 || shape_last(&input[0]) % groups != 0) {
        snprintf(why, OP_WHY, "%lld channels do not fall into %lld groups",
                 (long long)(inputs < 1 ? 0 : shape_last(&input[0])), (long long)groups);
        return ERR_INVALID;
    }
    *ret_output = input[0];
    return OK;
}

// Bytes that one part works with: two sums a channel, their totals over its rows, and the arrays.
static size_t part_bytes(size_t channels) {
    return norm_width(channels) * (2 * sizeof(double) + REALS * sizeof(Real)) +
           2 * channels * sizeof(double);
}

static OpCost group_norm_cost(const void *params, const OpExtent *extent, int inputs,
                              const Shape *input, const Shape *output) {
    (void)inputs;
    (void)input;
    size_t rows = (size_t)extent->rows, elements = rows * (size_t)shape_elements(output);
    size_t groups = (size_t)((const GroupNormParams *)params)->groups;
    return (OpCost){.forward_flops = 7 * (double)elements,
                    .backward_flops = 11 * (double)elements,
                    .saved_bytes = 2 * rows * groups * sizeof(Real), // mean, 1 / √(v + ε)
                    .scratch_bytes =
                        norm_parts(rows, elements) * part_bytes((size_t)shape_last(output))};
}

typedef struct GroupNorm {
    const OpCall *call;
    size_t rows, row;               // of the batch; elements of one
    size_t channels, groups, parts; // see normalise.h
    size_t width;
} GroupNorm;

// What one part works with.
typedef struct Area {
    double *sum, *products;   // [width] of a row
    double *d_gamma, *d_beta; // [channels] of the part's rows
    Real *spread[REALS];      // [width] each
} Area;

static GroupNorm group_norm_of(const OpCall *call) {
    GroupNorm norm = {.call = call,
                      .rows = (size_t)call->output.shape.dim[0],
                      .channels = op_width(&call->output),
                      .groups = (size_t)((const GroupNormParams *)call->params)->groups};
    norm.row = op_elements(&call->output) / norm.rows;
    norm.width = norm_width(norm.channels);
    norm.parts = norm_parts(norm.rows, norm.rows * norm.row);
    return norm;
}

static Area area_of(const GroupNorm *norm, size_t part) {
    void *memory = (char *)norm->call->scratch + part * part_bytes(norm->channels);
    Area area = {.sum = memory};
    area.products = area.sum + norm->width;
    area.d_gamma = area.products + norm->width;
    area.d_beta = area.d_gamma + norm->channels;
    void *behind = area.d_beta + norm->channels;
    for (int i = 0; i < REALS; i++)
        area.spread[i] = (Real *)behind + (size_t)i * norm->width;
    return area;
}

static size_t data_of(const GroupNorm *norm, size_t row) {
    if (norm->call->lengths == NULL)
        return norm->row;
    size_t time = (size_t)norm->call->output.shape.dim[1];
    return norm->row / time * (size_t)norm->call->lengths[row];
}

// ---- forward ----

// Sums of one row for each channel, around the row's first value.
static void sum_row(const GroupNorm *norm, const Area *area, const Real *x, size_t data) {
    for (size_t i = 0; i < norm->width; i++)
        area->spread[0][i] = x[0];
    memset(area->sum, 0, 2 * norm->width * sizeof(double));
    norm_moments(x, data, area->spread[0], norm->width, area->sum, area->products);
    norm_fold(area->sum, norm->channels, norm->width);
    norm_fold(area->products, norm->channels, norm->width);
}

static void forward_row(const GroupNorm *norm, const Area *area, size_t row) {
    const OpCall *call = norm->call;
    const Real *x = call->input[0].data + row * norm->row;
    Real *y = call->output.data + row * norm->row; // may be x
    size_t data = data_of(norm, row), each = norm->channels / norm->groups;
    double n = (double)(data / norm->groups);
    Real *saved = (Real *)call->saved + 2 * row * norm->groups; // [groups, 2]
    sum_row(norm, area, x, data);
    double origin = (double)x[0];
    for (size_t g = 0; g < norm->groups; g++) {
        double sum = 0, squares = 0;
        for (size_t c = g * each; c < (g + 1) * each; c++) {
            sum += area->sum[c];
            squares += area->products[c];
        }
        double offset = n > 0 ? sum / n : 0;
        double v = n > 0 ? fmax(squares / n - offset * offset, 0) : 0;
        Real mean = (Real)(origin + offset);
        Real inverse = (Real)(1 / sqrt(v + ((const GroupNormParams *)call->params)->epsilon));
        saved[2 * g] = mean;
        saved[2 * g + 1] = inverse;
        for (size_t c = g * each; c < (g + 1) * each; c++) {
            area->spread[0][c] = mean;
            area->spread[1][c] = inverse * call->weight[GAMMA].data[c];
            area->spread[2][c] = call->weight[BETA].data[c];
        }
    }
    for (int i = 0; i < 3; i++)
        norm_spread(area->spread[i], norm->channels, norm->width);
    norm_apply(x, data, area->spread[0], area->spread[1], area->spread[2], norm->width, y);
    memset(y + data, 0, (norm->row - data) * sizeof(Real));
}

// ---- backward ----

// Of one row; adds to the part's dγ and dβ.
static void backward_row(const GroupNorm *norm, const Area *area, size_t row) {
    const OpCall *call = norm->call;
    const Real *x = call->input[0].data + row * norm->row;
    const Real *dy = call->output_gradient.data + row * norm->row;
    const Real *gamma = call->weight[GAMMA].data;
    const Real *saved = (const Real *)call->saved + 2 * row * norm->groups; // [groups, 2]
    size_t data = data_of(norm, row), each = norm->channels / norm->groups;
    double n = (double)(data / norm->groups);
    for (size_t c = 0; c < norm->channels; c++)
        area->spread[0][c] = saved[2 * (c / each)];
    norm_spread(area->spread[0], norm->channels, norm->width);
    memset(area->sum, 0, 2 * norm->width * sizeof(double));
    norm_products(dy, x, data, area->spread[0], norm->width, area->sum, area->products);
    norm_fold(area->sum, norm->channels, norm->width);
    norm_fold(area->products, norm->channels, norm->width);
    for (size_t g = 0; g < norm->groups; g++) {
        double inverse = (double)saved[2 * g + 1], sum = 0, sum_normal = 0; // of g and g x̂
        for (size_t c = g * each; c < (g + 1) * each; c++) {
            double normal = area->products[c] * inverse; // Σ dy x̂
            area->d_beta[c] += area->sum[c];
            area->d_gamma[c] += normal;
            sum += (double)gamma[c] * area->sum[c];
            sum_normal += (double)gamma[c] * normal;
        }
        for (size_t c = g * each; n > 0 && c < (g + 1) * each; c++) {
            area->spread[1][c] = (Real)((double)gamma[c] * inverse);
            area->spread[2][c] = (Real)(inverse * inverse * sum_normal / n);
            area->spread[3][c] = (Real)(inverse * sum / n);
        }
    }
    if (call->input_gradient[0].data == NULL)
        return;
    Real *dx = call->input_gradient[0].data + row * norm->row; // may be dy
    for (int i = 1; i < REALS; i++)
        norm_spread(area->spread[i], norm->channels, norm->width);
    norm_back(dy, x, data, area->spread[0], area->spread[1], area->spread[2], area->spread[3],
              norm->width, dx);
    memset(dx + data, 0, (norm->row - data) * sizeof(Real));
}

// ---- all rows ----

static void forward_parts(void *context, size_t begin, size_t end, int thread) {
    const GroupNorm *norm = context;
    (void)thread;
    for (size_t part = begin; part < end; part++) {
        Area area = area_of(norm, part);
        size_t last = norm_part_begin(norm->rows, norm->parts, part + 1);
        for (size_t r = norm_part_begin(norm->rows, norm->parts, part); r < last; r++)
            forward_row(norm, &area, r);
    }
}

static void backward_parts(void *context, size_t begin, size_t end, int thread) {
    const GroupNorm *norm = context;
    (void)thread;
    for (size_t part = begin; part < end; part++) {
        Area area = area_of(norm, part);
        size_t last = norm_part_begin(norm->rows, norm->parts, part + 1);
        memset(area.d_gamma, 0, 2 * norm->channels * sizeof(double));
        for (size_t r = norm_part_begin(norm->rows, norm->parts, part); r < last; r++)
            backward_row(norm, &area, r);
    }
}

static void group_norm_forward(const OpCall *call) {
    GroupNorm norm = group_norm_of(call);
    parallel_for(call->context->parallel, norm.parts, 1, forward_parts, &norm);
}

static void group_norm_backward(const OpCall *call) {
    GroupNorm norm = group_norm_of(call);
    parallel_for(call->context->parallel, norm.parts, 1, backward_parts, &norm);
    Real *d_gamma = call->weight_gradient[GAMMA].data, *d_beta = call->weight_gradient[BETA].data;
    for (size_t c = 0; c < norm.channels; c++) {
        double gamma = 0, beta = 0;
        for (size_t part = 0; part < norm.parts; part++) {
            Area area = area_of(&norm, part);
            gamma += area.d_gamma[c];
            beta += area.d_beta[c];
        }
        if (d_gamma != NULL)
            d_gamma[c] = (Real)gamma;
        if (d_beta != NULL)
            d_beta[c] = (Real)beta;
    }
}

const OpDesc op_group_norm = {
    .name = "group_norm",
    .reference = "Wu & He 2018: Group Normalization, eq. 1 to 7",
    .backward_reads_inputs = true,
    .in_place = true,
    .shape = group_norm_shape,
    .cost = group_norm_cost,
    .forward = group_norm_forward,
    .backward = group_norm_backward,
};
