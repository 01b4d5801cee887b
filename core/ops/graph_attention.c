// Attention of every node to itself and its neighbours, in several heads.
//
//   input h [nodes, heads · units], a head's columns side by side; N(v): v and the sources of its edges
//   s_uv = a_source · h_u + a_target · h_v      e_uv = leaky(s_uv)      per head
//   p_uv = softmax of e_uv over u in N(v)       k_uv = p_uv, in training dropped out
//   y_v = Σ_u k_uv h_u + bias                   heads side by side, or their mean
//
//   with g_uv = dy_v · h_u:   de_uv = k_uv g_uv − p_uv Σ_w k_wv g_wv      ds_uv = de_uv leaky'(s_uv)
//   dh_u = Σ_v k_uv dy_v + a_source Σ_v ds_uv + a_target Σ_w ds_wu
//   da_source = Σ_u h_u Σ_v ds_uv      da_target = Σ_v h_v Σ_u ds_uv
//
// Numbers of edges lie [edges + nodes, heads]: those of the adjacency by target, then each node's own.
// So what comes into a node lies together, and all but the sums over a node's targets is computed where
// it lies. Every sum is one thread's.
#include "core/ops/ops.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/activations/real_math.h"
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/base/vector.h"
#include "core/tensor/kernels.h"

enum { SOURCE, TARGET, BIAS };
enum { BLOCK = 4096 }; // links whose dropout is drawn from one key

#define INLINE static inline __attribute__((always_inline))

static int graph_attention_shape(const void *params, int inputs, const Shape *input,
                                 Shape *ret_output, char why[OP_WHY]) {
    const GraphAttentionParams *attention = params;
    if (inputs != 1 || input[0].rank != 1) {
        char text[SHAPE_TEXT];
        snprintf(why, OP_WHY, "it reads nodes of one row of features each, not %s",
                 shape_text(&input[0], text));
        return ERR_INVALID;
    }
    int64_t units = input[0].dim[0] / attention->heads;
    *ret_output = SHAPE(attention->concat ? attention->heads * units : units);
    return OK;
}

static size_t links_of(int64_t nodes, int64_t edges, const GraphAttentionParams *params) {
    return (size_t)(nodes + edges) * (size_t)params->heads;
}

static OpCost graph_attention_cost(const void *params, const OpExtent *extent, int inputs,
                                   const Shape *input, const Shape *output) {
    (void)inputs;
    (void)output;
    const GraphAttentionParams *attention = params;
    double width = (double)shape_elements(input), rows = (double)extent->rows;
    double sums = (rows + (double)extent->edges) * width;
    size_t links = links_of(extent->rows, extent->edges, attention);
    size_t scores = 2 * (size_t)extent->rows * (size_t)attention->heads;
    return (OpCost){
        .forward_flops = 4 * rows * width + 2 * sums,
        .backward_flops = 8 * rows * width + 4 * sums,
        .saved_bytes = (scores + links * (attention->dropout > 0 ? 2 : 1)) * sizeof(Real),
        .scratch_bytes = 2 * (size_t)width * sizeof(double) + (links + scores) * sizeof(Real)};
}

typedef struct Attention {
    const OpCall *call;
    const Adjacency *graph;
    size_t heads, units, width; // width = heads · units
    size_t out_width;           // of the output
    Real slope, share;          // share: of a head in the output
    const Real *h;              // [nodes, width]
    const Real *dy;             // [nodes, out_width]
    Real *scores[2];            // [nodes, heads] SOURCE and TARGET: a · h
    Real *p, *k;                // [edges + nodes, heads]; the same array without dropout
    // Backward:
    double *columns[2]; // [width] sums of da
    Real *ds;           // [edges + nodes, heads]
    Real *d_scores[2];  // [nodes, heads]
} Attention;

static Attention attention_of(const OpCall *call) {
    const GraphAttentionParams *params = call->params;
    const Adjacency *graph = call->context->adjacency;
    Attention of = {.call = call,
                    .graph = graph,
                    .heads = (size_t)params->heads,
                    .width = op_width(&call->input[0]),
                    .out_width = op_width(&call->output),
                    .slope = (Real)params->negative_slope,
                    .share = params->concat ? 1 : (Real)(1.0 / (double)params->heads),
                    .h = call->input[0].data,
                    .dy = call->output_gradient.data};
    of.units = of.width / of.heads;
    size_t scores = (size_t)graph->nodes * of.heads;
    size_t links = links_of(graph->nodes, graph->edges, params);
    of.scores[SOURCE] = call->saved;
    of.scores[TARGET] = of.scores[SOURCE] + scores;
    of.p = of.k = of.scores[TARGET] + scores;
    if (op_drops(call->context, params->dropout))
        of.k = of.p + links;
    of.columns[SOURCE] = call->scratch;
    of.columns[TARGET] = of.columns[SOURCE] + of.width;
    void *reals = of.columns[TARGET] + of.width;
    of.ds = reals;
    of.d_scores[SOURCE] = of.ds + links;
    of.d_scores[TARGET] = of.d_scores[SOURCE] + scores;
    return of;
}

// Where head `head` of a node begins in the output.
INLINE size_t out_column(const Attention *of, size_t head) {
    return of->out_width == of->width ? head * of->units : 0;
}

INLINE size_t own_link(const Attention *of, size_t v) {
    return (size_t)of->graph->edges + v;
}

static void run_nodes(const Attention *of, size_t work,
                      void (*body)(void *context, size_t begin, size_t end, int thread)) {
    parallel_for(of->call->context->parallel, (size_t)of->graph->nodes, parallel_grain(work), body,
                 (void *)of);
}

// In double, as many sums side by side as a vector has room for.
INLINE double dot(const Real *restrict a, const Real *restrict b, size_t n) {
    enum { LANES = 8 };
    double lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += (double)a[i + j] * (double)b[i + j];
    for (size_t j = 0; j < LANES; j++)
        sum += lane[j];
    for (; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

// ---- forward ----

VECTOR_LOOPS static void score_nodes(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    for (int side = SOURCE; side <= TARGET; side++)
        for (size_t v = begin; v < end; v++)
            for (size_t head = 0; head < of->heads; head++) {
                size_t column = head * of->units;
                of->scores[side][v * of->heads + head] =
                    (Real)dot(of->call->weight[side].data + column, of->h + v * of->width + column,
                              of->units);
            }
}

// The factors by which dropout multiplies: 0 or 1 / (1 − rate), of blocks begin … end − 1.
static void draw_blocks(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    const GraphAttentionParams *params = of->call->params;
    const OpContext *pass = of->call->context;
    uint64_t threshold = (uint64_t)(params->dropout * 0x1p32);
    Real scale = (Real)(1 / (1 - params->dropout));
    size_t links = links_of(of->graph->nodes, of->graph->edges, params);
    for (size_t block = begin; block < end; block++) {
        Rng rng = rng_make(pass->seed, RNG_DROPOUT, (uint64_t)pass->step,
                           (uint64_t)block << 32 | (uint64_t)of->call->node);
        size_t first = block * BLOCK, last = first + BLOCK < links ? first + BLOCK : links;
        for (size_t i = first; i < last; i += 2) {
            uint64_t bits = rng_next(&rng);
            of->k[i] = (bits & UINT32_MAX) >= threshold ? scale : 0;
            if (i + 1 < last)
                of->k[i + 1] = (bits >> 32) >= threshold ? scale : 0;
        }
    }
}

static void draw_factors(const Attention *of) {
    size_t links = links_of(of->graph->nodes, of->graph->edges, of->call->params);
    parallel_for(of->call->context->parallel, (links + BLOCK - 1) / BLOCK,
                 parallel_grain(4 * BLOCK), draw_blocks, (void *)of);
}

// e of the link from u to v, all heads, and the greatest so far.
INLINE void score_link(const Attention *of, size_t u, size_t v, size_t link,
                       Real *restrict greatest) {
    const Real *restrict source = of->scores[SOURCE] + u * of->heads;
    const Real *restrict target = of->scores[TARGET] + v * of->heads;
    Real *restrict p = of->p + link * of->heads;
    Real slope = of->slope;
    for (size_t head = 0; head < of->heads; head++) {
        Real s = source[head] + target[head], scaled = slope * s;
        Real e = s > 0 ? s : scaled;
        p[head] = e;
        greatest[head] = e > greatest[head] ? e : greatest[head];
    }
}

// p = e − the greatest, of one link.
INLINE void lower_link(const Attention *of, size_t link, const Real *restrict greatest) {
    Real *restrict p = of->p + link * of->heads;
    for (size_t head = 0; head < of->heads; head++)
        p[head] -= greatest[head];
}

// Of several links at once: as long a loop as there is.
INLINE void raise_links(const Attention *of, size_t first, size_t end) {
    Real *restrict p = of->p;
    for (size_t i = first * of->heads; i < end * of->heads; i++)
        p[i] = real_exp_negative(p[i]);
}

INLINE void add_link(const Attention *of, size_t link, Real *restrict sums) {
    const Real *restrict p = of->p + link * of->heads;
    for (size_t head = 0; head < of->heads; head++)
        sums[head] += p[head];
}

INLINE void divide_link(const Attention *of, size_t link, const Real *restrict sums) {
    Real *restrict p = of->p + link * of->heads, *k = of->k + link * of->heads;
    for (size_t head = 0; head < of->heads; head++)
        p[head] /= sums[head];
    for (size_t head = 0; of->k != of->p && head < of->heads; head++)
        k[head] *= p[head]; // dropout's factors
}

// p and k of all that comes into v.
INLINE void soften(const Attention *of, size_t v) {
    const Adjacency *graph = of->graph;
    size_t first = (size_t)graph->first_in[v], end = (size_t)graph->first_in[v + 1];
    size_t own = own_link(of, v);
    Real greatest[GRAPH_ATTENTION_HEADS_MAX], sums[GRAPH_ATTENTION_HEADS_MAX];
    for (size_t head = 0; head < of->heads; head++) {
        greatest[head] = -INFINITY;
        sums[head] = 0;
    }
    score_link(of, v, v, own, greatest);
    for (size_t e = first; e < end; e++)
        score_link(of, (size_t)graph->source[e], v, e, greatest);
    lower_link(of, own, greatest);
    for (size_t e = first; e < end; e++)
        lower_link(of, e, greatest);
    raise_links(of, own, own + 1);
    raise_links(of, first, end);
    add_link(of, own, sums);
    for (size_t e = first; e < end; e++)
        add_link(of, e, sums);
    divide_link(of, own, sums);
    for (size_t e = first; e < end; e++)
        divide_link(of, e, sums);
}

// y_v += k h_u, all heads of one link.
INLINE void add_source(const Attention *of, size_t u, const Real *k, Real *restrict y) {
    for (size_t head = 0; head < of->heads; head++) {
        const Real *restrict h = of->h + u * of->width + head * of->units;
        Real *restrict to = y + out_column(of, head);
        Real factor = k[head] * of->share;
        for (size_t c = 0; c < of->units; c++)
            to[c] += factor * h[c];
    }
}

VECTOR_LOOPS static void attend(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    const Adjacency *graph = of->graph;
    size_t heads = of->heads;
    for (size_t v = begin; v < end; v++) {
        size_t first = (size_t)graph->first_in[v], last = (size_t)graph->first_in[v + 1];
        Real *y = of->call->output.data + v * of->out_width;
        soften(of, v);
        memcpy(y, of->call->weight[BIAS].data, of->out_width * sizeof(Real));
        add_source(of, v, of->k + own_link(of, v) * heads, y);
        for (size_t e = first; e < last; e++)
            add_source(of, (size_t)graph->source[e], of->k + e * heads, y);
    }
}

static size_t link_work(const Attention *of) {
    return of->width * (2 + (size_t)(of->graph->edges / of->graph->nodes));
}

static void graph_attention_forward(const OpCall *call) {
    Attention of = attention_of(call);
    run_nodes(&of, of.width, score_nodes);
    if (of.k != of.p)
        draw_factors(&of);
    run_nodes(&of, link_work(&of), attend);
}

// ---- backward ----

// k g of one link, all heads, into ds; added to `sums` [heads].
INLINE void weigh_link(const Attention *of, size_t u, size_t v, size_t link,
                       double *restrict sums) {
    const Real *restrict k = of->k + link * of->heads;
    Real *restrict ds = of->ds + link * of->heads;
    Real share = of->share;
    for (size_t head = 0; head < of->heads; head++) {
        const Real *restrict h = of->h + u * of->width + head * of->units;
        const Real *restrict dy = of->dy + v * of->out_width + out_column(of, head);
        ds[head] = k[head] * share * (Real)dot(dy, h, of->units);
        sums[head] += (double)ds[head];
    }
}

// From k g to ds; added to v's d_scores.
INLINE void finish_link(const Attention *of, size_t u, size_t v, size_t link, const double *sums) {
    const Real *restrict source = of->scores[SOURCE] + u * of->heads;
    const Real *restrict target = of->scores[TARGET] + v * of->heads;
    const Real *restrict p = of->p + link * of->heads;
    Real *restrict ds = of->ds + link * of->heads;
    Real *restrict d_target = of->d_scores[TARGET] + v * of->heads;
    Real slope = of->slope;
    for (size_t head = 0; head < of->heads; head++) {
        Real de = ds[head] - p[head] * (Real)sums[head], scaled = slope * de;
        ds[head] = source[head] + target[head] > 0 ? de : scaled;
        d_target[head] += ds[head];
    }
}

VECTOR_LOOPS static void differ_targets(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    const Adjacency *graph = of->graph;
    double sums[GRAPH_ATTENTION_HEADS_MAX];
    for (size_t v = begin; v < end; v++) {
        size_t first = (size_t)graph->first_in[v], last = (size_t)graph->first_in[v + 1];
        memset(sums, 0, of->heads * sizeof(*sums));
        memset(of->d_scores[TARGET] + v * of->heads, 0, of->heads * sizeof(Real));
        weigh_link(of, v, v, own_link(of, v), sums);
        for (size_t e = first; e < last; e++)
            weigh_link(of, (size_t)graph->source[e], v, e, sums);
        finish_link(of, v, v, own_link(of, v), sums);
        for (size_t e = first; e < last; e++)
            finish_link(of, (size_t)graph->source[e], v, e, sums);
    }
}

VECTOR_LOOPS static void differ_sources(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    const Adjacency *graph = of->graph;
    size_t heads = of->heads;
    for (size_t u = begin; u < end; u++) {
        Real *d_source = of->d_scores[SOURCE] + u * heads;
        memcpy(d_source, of->ds + own_link(of, u) * heads, heads * sizeof(Real));
        for (int32_t e = graph->first_out[u]; e < graph->first_out[u + 1]; e++) {
            const Real *ds = of->ds + (size_t)graph->place[e] * heads;
            for (size_t head = 0; head < heads; head++)
                d_source[head] += ds[head];
        }
    }
}

// dh_u += k dy_v, all heads of one link.
INLINE void add_target(const Attention *of, size_t v, const Real *k, Real *restrict dh) {
    for (size_t head = 0; head < of->heads; head++) {
        const Real *restrict dy = of->dy + v * of->out_width + out_column(of, head);
        Real *restrict to = dh + head * of->units;
        Real factor = k[head] * of->share;
        for (size_t c = 0; c < of->units; c++)
            to[c] += factor * dy[c];
    }
}

VECTOR_LOOPS static void differ_inputs(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    const Adjacency *graph = of->graph;
    const Real *source = of->call->weight[SOURCE].data, *target = of->call->weight[TARGET].data;
    for (size_t u = begin; u < end; u++) {
        Real *restrict dh = of->call->input_gradient[0].data + u * of->width;
        for (size_t head = 0; head < of->heads; head++) {
            Real d_source = of->d_scores[SOURCE][u * of->heads + head];
            Real d_target = of->d_scores[TARGET][u * of->heads + head];
            for (size_t c = head * of->units; c < (head + 1) * of->units; c++)
                dh[c] = d_source * source[c] + d_target * target[c];
        }
        add_target(of, u, of->k + own_link(of, u) * of->heads, dh);
        for (int32_t e = graph->first_out[u]; e < graph->first_out[u + 1]; e++)
            add_target(of, (size_t)graph->target[e], of->k + (size_t)graph->place[e] * of->heads,
                       dh);
    }
}

// Columns of da_source and da_target: over all nodes in their order.
VECTOR_LOOPS static void differ_columns(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Attention *of = context;
    for (int side = SOURCE; side <= TARGET; side++) {
        Real *gradient = of->call->weight_gradient[side].data; // [heads, units]
        if (gradient == NULL)
            continue;
        double *restrict sums = of->columns[side];
        for (size_t c = begin; c < end; c++)
            sums[c] = 0;
        for (size_t v = 0; v < (size_t)of->graph->nodes; v++) {
            const Real *restrict h = of->h + v * of->width;
            for (size_t head = begin / of->units; head * of->units < end; head++) {
                Real d_score = of->d_scores[side][v * of->heads + head];
                size_t from = head * of->units, to = from + of->units;
                for (size_t c = from < begin ? begin : from; c < (to < end ? to : end); c++)
                    sums[c] += (double)(h[c] * d_score);
            }
        }
        for (size_t c = begin; c < end; c++)
            gradient[c] = (Real)sums[c];
    }
}

static void graph_attention_backward(const OpCall *call) {
    Attention of = attention_of(call);
    run_nodes(&of, link_work(&of), differ_targets);
    run_nodes(&of, of.heads * (1 + (size_t)(of.graph->edges / of.graph->nodes)), differ_sources);
    if (call->input_gradient[0].data != NULL)
        run_nodes(&of, link_work(&of), differ_inputs);
    parallel_for(call->context->parallel, of.width, parallel_grain(2 * (size_t)of.graph->nodes),
                 differ_columns, &of);
    if (call->weight_gradient[BIAS].data != NULL)
        kernel_sum_rows_parallel(call->context->parallel, of.dy, call->weight_gradient[BIAS].data,
                                 (size_t)of.graph->nodes, of.out_width);
}

const OpDesc op_graph_attention = {
    .name = "graph_attention",
    .reference = "Velickovic et al. 2018: Graph Attention Networks, eq. 1 to 6",
    .backward_reads_inputs = true,
    .reads_adjacency = true,
    .shape = graph_attention_shape,
    .cost = graph_attention_cost,
    .forward = graph_attention_forward,
    .backward = graph_attention_backward,
};
