// Scaled dot-product attention of several heads, over the steps of each row.
//
//   input [rows, time, 3, units]: q, k, v      a head has units / heads = d columns of each
//   s_tj = q_t · k_j / √d      p_t = softmax over the j that t may see      o_t = Σ_j p_tj v_j
//
// t sees the steps of its row that are data, causal: none after itself. Padded steps give 0 and get no
// gradient. In training p is dropped out: o_t = Σ_j m_tj p_tj v_j, m = 0 or 1 / (1 − rate).
//
// The scores are never all in memory: a row's head is worked through in tiles of BLOCK queries by
// BLOCK keys, forward with the softmax's maximum and sum carried along, and backward computes a tile's
// p again from what forward kept of each query, its log Σ_j e^s (Dao et al. 2022, algorithms 1 and 4):
//
//   p = e^(s − logsum)   dv_j = Σ_t m p do_t   dp = m (do_t · v_j)   ds = p (dp − do_t · o_t)
//   dq_t = Σ_j ds k_j / √d        dk_j = Σ_t ds q_t / √d
//
// A tile lies [keys, queries], so that maxima and sums run down its columns: as vector code without
// reordering a sum. A row's head belongs to one thread, and dropout's numbers to their tile: results
// do not depend on the threads.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/activations/real_math.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/vector.h"
#include "core/tensor/kernels.h"
#include "core/tensor/product.h"

enum { BLOCK = 64, PARTS = 3 };

static int attention_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                           char why[OP_WHY]) {
    const AttentionParams *attention = params;
    if (inputs != 1 || input[0].rank != 2) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "attention reads a sequence [time, features], not %s",
                 shape_text(&input[0], text));
        return ERR_INVALID;
    }
    int64_t units = input[0].dim[1] / PARTS;
    if (units % attention->heads != 0) {
        snprintf(why, OP_WHY,
                 "%lld units do not divide evenly among %lld heads: change one of them",
                 (long long)units, (long long)attention->heads);
        return ERR_INVALID;
    }
    *ret_output = SHAPE(input[0].dim[0], units);
    return OK;
}

static OpCost attention_cost(const void *params, const OpExtent *extent, int inputs,
                             const Shape *input, const Shape *output) {
    (void)inputs;
    (void)input;
    const AttentionParams *attention = params;
    double time = (double)output->dim[0];
    double products = (double)extent->rows * time * time * (double)output->dim[1];
    size_t queries = (size_t)(extent->rows * attention->heads * output->dim[0]);
    return (OpCost){.forward_flops = 4 * products,
                    .backward_flops = 10 * products,
                    .saved_bytes = queries * sizeof(Real)}; // logsum
}

// One head of one row. Arrays are [steps, …] with `stride` elements from a step to the next, or
// `out_stride` where they are of the output.
typedef struct Head {
    size_t steps, width; // that are data; d
    size_t stride, out_stride;
    const Real *q, *k, *v;
    Real *dq, *dk, *dv; // backward only
    Real *o;
    const Real *d_o;
    Real *logsum; // [steps]
    Real scale;   // 1 / √d
    bool causal;
    double rate; // of dropout; 0: none
    const OpCall *call;
    uint64_t index; // among all heads of all rows
} Head;

typedef struct Tile {
    size_t query, queries, key, keys; // first of each, and how many
    Real p[BLOCK * BLOCK];            // [keys, queries]
} Tile;

static Head head_of(const OpCall *call, size_t index) {
    const AttentionParams *attention = call->params;
    size_t heads = (size_t)attention->heads, units = op_width(&call->output);
    size_t time = (size_t)call->output.shape.dim[1], row = index / heads, head = index % heads;
    size_t width = units / heads, in = row * time * PARTS * units + head * width;
    size_t out = row * time * units + head * width;
    Head of = {.steps = call->lengths == NULL ? time : (size_t)call->lengths[row],
               .width = width,
               .stride = PARTS * units,
               .out_stride = units,
               .q = call->input[0].data + in,
               .o = call->output.data + out,
               .logsum = (Real *)call->saved + index * time,
               .scale = (Real)(1 / sqrt((double)width)),
               .causal = attention->causal,
               .rate = op_drops(call->context, attention->dropout) ? attention->dropout : 0,
               .call = call,
               .index = index};
    of.k = of.q + units;
    of.v = of.k + units;
    return of;
}

static size_t lesser(size_t a, size_t b) {
    return a < b ? a : b;
}

// The steps behind a row's data, in one head's columns.
static void clear_padding(Real *data, size_t steps, size_t time, size_t stride, size_t width) {
    for (size_t t = steps; t < time; t++)
        memset(data + t * stride, 0, width * sizeof(Real));
}

// p = k · qᵀ, which is √d s, and −∞ where a query may not look.
static void score(const Head *head, Tile *tile) {
    product_run(NULL, &(Product){.m = (int)tile->keys,
                                 .n = (int)tile->queries,
                                 .k = (int)head->width,
                                 .a = head->k + tile->key * head->stride,
                                 .lda = (int)head->stride,
                                 .b = head->q + tile->query * head->stride,
                                 .ldb = (int)head->stride,
                                 .transpose_b = true,
                                 .c = tile->p,
                                 .ldc = (int)tile->queries});
    for (size_t j = 0; head->causal && j < tile->keys; j++) {
        size_t key = tile->key + j;
        size_t blind = key > tile->query ? lesser(key - tile->query, tile->queries) : 0;
        for (size_t t = 0; t < blind; t++)
            tile->p[j * tile->queries + t] = -INFINITY;
    }
}

// The end of what the tile's queries may see.
static size_t horizon(const Head *head, const Tile *tile) {
    return head->causal ? tile->query + tile->queries : head->steps;
}

// keep [keys, queries] = 0 or 1 / (1 − rate).
static void draw_keep(const Head *head, const Tile *tile, Real *keep) {
    uint64_t blocks = (head->steps + BLOCK - 1) / BLOCK;
    uint64_t number = (head->index * blocks + tile->query / BLOCK) * blocks + tile->key / BLOCK;
    const OpContext *context = head->call->context;
    Rng rng = rng_make(context->seed, RNG_ATTENTION, (uint64_t)context->step,
                       (uint64_t)head->call->node << 40 | number);
    uint64_t threshold = (uint64_t)(head->rate * 0x1p32);
    Real kept = (Real)(1 / (1 - head->rate));
    for (size_t i = 0; i < tile->keys * tile->queries; i++)
        keep[i] = (rng_next(&rng) >> 32) >= threshold ? kept : 0;
}

// ---- forward ----

// Turns √d s into e^(s − greatest s), where `greatest` [queries] becomes the maximum of all √d s so far; sums [queries]
// gathers them, rescaled [queries] is by what all earlier ones shrink.
VECTOR_LOOPS static void exponentiate(Tile *tile, Real scale, Real *restrict greatest,
                                      Real *restrict sums, Real *restrict rescaled) {
    size_t n = tile->queries;
    for (size_t t = 0; t < n; t++)
        rescaled[t] = greatest[t];
    for (size_t j = 0; j < tile->keys; j++) {
        const Real *restrict s = tile->p + j * n;
        for (size_t t = 0; t < n; t++)
            greatest[t] = s[t] > greatest[t] ? s[t] : greatest[t];
    }
    for (size_t t = 0; t < n; t++) {
        rescaled[t] = real_exp_negative(scale * (rescaled[t] - greatest[t]));
        sums[t] *= rescaled[t];
    }
    for (size_t j = 0; j < tile->keys; j++) {
        Real *restrict p = tile->p + j * n;
        for (size_t t = 0; t < n; t++) {
            p[t] = real_exp_negative(scale * (p[t] - greatest[t]));
            sums[t] += p[t];
        }
    }
}

VECTOR_LOOPS static void scale_steps(Real *o, size_t stride, size_t steps, size_t width,
                                     const Real *factors) {
    for (size_t t = 0; t < steps; t++)
        for (size_t c = 0; c < width; c++)
            o[t * stride + c] *= factors[t];
}

VECTOR_LOOPS static void multiply(Real *restrict p, const Real *restrict keep, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] *= keep[i];
}

static void attend(const Head *head, Tile *tile) {
    Real greatest[BLOCK], sums[BLOCK], factors[BLOCK], keep[BLOCK * BLOCK];
    Real *o = head->o + tile->query * head->out_stride;
    for (size_t t = 0; t < tile->queries; t++) {
        greatest[t] = -INFINITY;
        sums[t] = 0;
    }
    size_t end = horizon(head, tile);
    for (tile->key = 0; tile->key < end; tile->key += BLOCK) {
        tile->keys = lesser(BLOCK, end - tile->key);
        score(head, tile);
        exponentiate(tile, head->scale, greatest, sums, factors);
        if (tile->key > 0)
            scale_steps(o, head->out_stride, tile->queries, head->width, factors);
        if (head->rate > 0) {
            draw_keep(head, tile, keep);
            multiply(tile->p, keep, tile->keys * tile->queries);
        }
        product_run(NULL, &(Product){.m = (int)tile->queries,
                                     .n = (int)head->width,
                                     .k = (int)tile->keys,
                                     .a = tile->p,
                                     .lda = (int)tile->queries,
                                     .transpose_a = true,
                                     .b = head->v + tile->key * head->stride,
                                     .ldb = (int)head->stride,
                                     .c = o,
                                     .ldc = (int)head->out_stride,
                                     .add = tile->key > 0});
    }
    for (size_t t = 0; t < tile->queries; t++) {
        factors[t] = 1 / sums[t];
        head->logsum[tile->query + t] = head->scale * greatest[t] + (Real)log((double)sums[t]);
    }
    scale_steps(o, head->out_stride, tile->queries, head->width, factors);
}

static void forward_heads(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    Tile tile;
    for (size_t i = begin; i < end; i++) {
        Head head = head_of(call, i);
        for (tile.query = 0; tile.query < head.steps; tile.query += BLOCK) {
            tile.queries = lesser(BLOCK, head.steps - tile.query);
            attend(&head, &tile);
        }
        clear_padding(head.o, head.steps, (size_t)call->output.shape.dim[1], head.out_stride,
                      head.width);
    }
}

// Heads of all rows, and how many make a chunk worth a thread.
static void for_heads(const OpCall *call,
                      void (*body)(void *context, size_t begin, size_t end, int thread)) {
    const AttentionParams *attention = call->params;
    size_t time = (size_t)call->output.shape.dim[1];
    parallel_for(call->context->parallel, (size_t)(call->output.shape.dim[0] * attention->heads),
                 parallel_grain(2 * time * time), body, (void *)call);
}

static void attention_forward(const OpCall *call) {
    for_heads(call, forward_heads);
}

// ---- backward ----

// p = e^(s − logsum).
VECTOR_LOOPS static void recall(Tile *tile, Real scale, const Real *restrict logsum) {
    size_t n = tile->queries;
    for (size_t j = 0; j < tile->keys; j++) {
        Real *restrict p = tile->p + j * n;
        for (size_t t = 0; t < n; t++)
            p[t] = real_exp_negative(scale * p[t] - logsum[t]);
    }
}

// ds / √d = p (dp − dot) / √d, written over dp [keys, queries].
VECTOR_LOOPS static void softmax_backward(const Tile *tile, Real scale, const Real *restrict dots,
                                          Real *restrict dp) {
    size_t n = tile->queries;
    for (size_t j = 0; j < tile->keys; j++)
        for (size_t t = 0; t < n; t++)
            dp[j * n + t] = scale * tile->p[j * n + t] * (dp[j * n + t] - dots[t]);
}

// dots [queries] = do · o.
static void dot_outputs(const Head *head, const Tile *tile, Real *dots) {
    for (size_t t = 0; t < tile->queries; t++) {
        size_t at = (tile->query + t) * head->out_stride;
        dots[t] = (Real)kernel_dot(head->d_o + at, head->o + at, head->width);
    }
}

// All that the tile's queries pass back, key block by key block. The keys' first queries overwrite
// their gradients, later ones add.
static void attend_backward(const Head *head, Tile *tile) {
    Real dp[BLOCK * BLOCK], keep[BLOCK * BLOCK], dots[BLOCK];
    int queries = (int)tile->queries, width = (int)head->width, stride = (int)head->stride;
    size_t query = tile->query * head->stride;
    const Real *d_o = head->d_o + tile->query * head->out_stride;
    size_t end = horizon(head, tile);
    dot_outputs(head, tile, dots);
    for (tile->key = 0; tile->key < end; tile->key += BLOCK) {
        tile->keys = lesser(BLOCK, end - tile->key);
        int keys = (int)tile->keys;
        size_t key = tile->key * head->stride, count = tile->keys * tile->queries;
        bool first = tile->query == (head->causal ? tile->key : 0);
        score(head, tile);
        recall(tile, head->scale, head->logsum + tile->query);
        product_run(NULL, &(Product){.m = keys,
                                     .n = queries,
                                     .k = width,
                                     .a = head->v + key,
                                     .lda = stride,
                                     .b = d_o,
                                     .ldb = (int)head->out_stride,
                                     .transpose_b = true,
                                     .c = dp,
                                     .ldc = queries});
        if (head->rate > 0) {
            draw_keep(head, tile, keep);
            multiply(dp, keep, count);
        }
        softmax_backward(tile, head->scale, dots, dp);
        if (head->rate > 0)
            multiply(tile->p, keep, count);
        Product from_queries = {.m = keys, // dv, then dk
                                .n = width,
                                .k = queries,
                                .a = tile->p,
                                .lda = queries,
                                .b = d_o,
                                .ldb = (int)head->out_stride,
                                .c = head->dv + key,
                                .ldc = stride,
                                .add = !first};
        product_run(NULL, &from_queries);
        from_queries.a = dp;
        from_queries.b = head->q + query;
        from_queries.ldb = stride;
        from_queries.c = head->dk + key;
        product_run(NULL, &from_queries);
        product_run(NULL, &(Product){.m = queries,
                                     .n = width,
                                     .k = keys,
                                     .a = dp,
                                     .lda = queries,
                                     .transpose_a = true,
                                     .b = head->k + key,
                                     .ldb = stride,
                                     .c = head->dq + query,
                                     .ldc = stride,
                                     .add = tile->key > 0});
    }
}

static void backward_heads(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const OpCall *call = context;
    size_t time = (size_t)call->output.shape.dim[1], units = op_width(&call->output);
    Tile tile;
    for (size_t i = begin; i < end; i++) {
        Head head = head_of(call, i);
        head.d_o = call->output_gradient.data + (head.o - call->output.data);
        head.dq = call->input_gradient[0].data + (head.q - call->input[0].data);
        head.dk = head.dq + units;
        head.dv = head.dk + units;
        for (tile.query = 0; tile.query < head.steps; tile.query += BLOCK) {
            tile.queries = lesser(BLOCK, head.steps - tile.query);
            attend_backward(&head, &tile);
        }
        for (size_t part = 0; part < PARTS; part++)
            clear_padding(head.dq + part * units, head.steps, time, head.stride, head.width);
    }
}

static void attention_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        for_heads(call, backward_heads);
}

const OpDesc op_attention = {
    .name = "attention",
    .reference = "Vaswani et al. 2017: Attention Is All You Need, section 3.2; Dao et al. 2022: "
                 "FlashAttention",
    .backward_reads_inputs = true,
    .backward_reads_output = true,
    .shape = attention_shape,
    .cost = attention_cost,
    .forward = attention_forward,
    .backward = attention_backward,
};
