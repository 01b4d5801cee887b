// Convolution over one or two axes (strictly: cross-correlation), channels last.
//
//   y [n, o, f] = b[f] + Σ_t Σ_c x [n, input of tap t at o, c] · K [t, c, f]
//   dx[n, i, c] = Σ over the o and t that read i, and f, of dy [n, o, f] · K [t, c, f]
//   dK[t, c, f] = Σ_n Σ_o x [n, input of tap t at o, c] · dy [n, o, f]        db = Σ_n Σ_o dy
//
// With groups, filter f reads the channels of its own group alone: c counts within it.
//
// As products, for a block of outputs at a time and P their patches [block, taps · c] (patches.h):
//
//   y = P · K        dP = dy · Kᵀ, added up into dx        dK += Pᵀ · dy
//
// A block is as large as stays in the cache, so the scratch does not grow with the rows. A kernel
// of one tap without stride needs no patches, and a filter for each channel (depthwise) no
// products. Threads share the rows of y and dx, and the taps of dK: no sum depends on who was
// faster.
#include "core/ops/conv.h"
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/blas.h"
#include "core/tensor/kernels.h"

enum {
    BLOCK_ELEMENTS = 1 << 17, // of a block's patches: half a MiB, to stay in a core's L2
    BLOCK_POSITIONS_MIN = 64,
    SMALL_PRODUCT = 1000000, // multiply-adds up to which OpenBLAS multiplies without packing
    BLOCKS = 4,              // that the scratch holds: more threads have smaller ones …
    PIECES_MAX = 16,         // … up to so many
    GRAIN = 1 << 16,         // multiply-adds that are worth a thread
};

static int conv_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                      char why[OP_WHY]) {
    const ConvParams *conv = params;
    if (inputs != 1) {
        snprintf(why, OP_WHY, "a convolution has one input");
        return ERR_INVALID;
    }
    int err = window_shape(&conv->window, &input[0], conv->filters, ret_output, why);
    if (err == OK &&
        (shape_last(&input[0]) % conv->groups != 0 || conv->filters % conv->groups != 0)) {
        snprintf(why, OP_WHY, "%lld channels and %lld filters do not fall into %lld groups",
                 (long long)shape_last(&input[0]), (long long)conv->filters,
                 (long long)conv->groups);
        return ERR_INVALID;
    }
    return err;
}

static size_t taps_of(const Window *window) {
    return (size_t)(window->size[0] * window->size[1]);
}

static bool is_pointwise(const Window *window) {
    return taps_of(window) == 1 && window->stride[0] == 1 && window->stride[1] == 1;
}

// Positions of a block of patches of so many elements.
static size_t best_block(size_t patch, size_t group_out) {
    size_t block = BLOCK_ELEMENTS / patch, small = SMALL_PRODUCT / (patch * group_out);
    if (small >= BLOCK_POSITIONS_MIN && small < block)
        block = small;
    return block < BLOCK_POSITIONS_MIN ? BLOCK_POSITIONS_MIN : block;
}

// Enough for PIECES_MAX threads to have some positions each.
static size_t scratch_elements(size_t patch, size_t group_out) {
    return BLOCKS * best_block(patch, group_out) * patch + PIECES_MAX * PATCHES_SLACK;
}

static OpCost conv_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                        const Shape *output) {
    const ConvParams *conv = params;
    (void)inputs;
    int64_t channels = shape_last(&input[0]), group_in = channels / conv->groups;
    size_t patch = taps_of(&conv->window) * (size_t)group_in;
    double positions = (double)extent->rows * (double)shape_elements(output);
    double products = positions * (double)patch;
    OpCost cost = {.forward_flops = 2 * products,
                   .backward_flops = 2 * products * op_halves(extent)};
    if (conv_is_depthwise(conv, channels))
        cost.scratch_bytes = conv_depthwise_scratch(conv, channels);
    else if (!is_pointwise(&conv->window))
        cost.scratch_bytes =
            scratch_elements(patch, (size_t)(conv->filters / conv->groups)) * sizeof(Real);
    return cost;
}

static Conv conv_of(const OpCall *call) {
    const ConvParams *params = call->params;
    Conv conv = {.call = call,
                 .grid = window_grid(&params->window, &call->input[0], call->lengths),
                 .taps = taps_of(&params->window),
                 .filters = (size_t)params->filters,
                 .groups = (size_t)params->groups};
    conv.group_in = (size_t)conv.grid.channels / conv.groups;
    conv.group_out = conv.filters / conv.groups;
    conv.positions = (size_t)(conv.grid.out[0] * conv.grid.out[1]);
    return conv;
}

static void clear_rows(const Conv *conv, size_t begin, size_t end) {
    const WindowGrid *grid = &conv->grid;
    size_t row = (size_t)(grid->in[0] * grid->in[1] * grid->channels); // elements
    memset(conv->call->input_gradient[0].data + begin * row, 0, (end - begin) * row * sizeof(Real));
}

static Patches patches_of(const Conv *conv, size_t group, size_t first_tap, size_t taps) {
    return (Patches){.grid = &conv->grid,
                     .first_channel = (int64_t)(group * conv->group_in),
                     .channels = (int64_t)conv->group_in,
                     .first_tap = (int64_t)first_tap,
                     .taps = (int64_t)taps};
}

// A thread's part of the scratch, for patches of so many taps.
typedef struct Block {
    Real *patches;
    size_t positions; // at a time
} Block;

static Block block_of(const Conv *conv, size_t taps, int piece, int pieces) {
    size_t share = scratch_elements(conv->taps * conv->group_in, conv->group_out) / (size_t)pieces;
    size_t fits = (share - PATCHES_SLACK) / (taps * conv->group_in);
    size_t best = best_block(taps * conv->group_in, conv->group_out);
    return (Block){(Real *)conv->call->scratch + (size_t)piece * share, fits < best ? fits : best};
}

// ---- threads ----

// Items [begin, end) of some work, on piece `piece` of at most `pieces`.
typedef void Part(const Conv *conv, size_t begin, size_t end, int piece, int pieces);

typedef struct Work {
    const Conv *conv;
    int pieces;
    Part *part;
} Work;

static void run_part(void *context, size_t begin, size_t end, int piece) {
    const Work *work = context;
    work->part(work->conv, begin, end, piece, work->pieces);
}

// `part` over `count` items, each of so many multiply-adds.
static void divide(const Conv *conv, size_t count, double products, Part *part) {
    Parallel *parallel = conv->call->context->parallel;
    size_t grain = (size_t)(GRAIN / products) + 1, least = (count + PIECES_MAX - 1) / PIECES_MAX;
    grain = grain > least ? grain : least;
    size_t pieces = (size_t)parallel_threads(parallel);
    pieces = pieces < count / grain ? pieces : count / grain;
    Work work = {conv, pieces > 1 ? (int)pieces : 1, part};
    // Each piece multiplies for itself: BLAS's own threads would only be in its way.
    int threads = work.pieces > 1 ? blas_threads() : 1;
    if (work.pieces > 1)
        blas_set_threads(1);
    parallel_for(parallel, count, grain, run_part, &work);
    if (work.pieces > 1)
        blas_set_threads(threads);
}

// ---- forward ----

static void lay_bias(const Conv *conv, size_t begin, size_t end) {
    const OpCall *call = conv->call;
    Real *y = call->output.data; // [positions, filters]
    for (size_t p = begin; call->weights > 1 && p < end; p++)
        memcpy(y + p * conv->filters, call->weight[1].data, conv->filters * sizeof(Real));
}

// y [count, filters] = (the bias +) a [count, taps · channels of the group] · K
static void multiply_forward(const Conv *conv, size_t group, const Real *a, size_t a_row,
                             size_t first, size_t count) {
    const OpCall *call = conv->call;
    size_t offset = group * conv->group_out;
    blas_gemm(0, 0, (int)count, (int)conv->group_out, (int)(conv->taps * conv->group_in), 1, a,
              (int)a_row, call->weight[0].data + offset, (int)conv->filters,
              call->weights > 1 ? 1 : 0, call->output.data + first * conv->filters + offset,
              (int)conv->filters);
}

static void forward_rows(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    size_t patch = conv->taps * conv->group_in, row = conv->positions;
    Block block = block_of(conv, conv->taps, piece, pieces);
    for (size_t p = begin * row, next; p < end * row; p = next) {
        next = p + block.positions < end * row ? p + block.positions : end * row;
        lay_bias(conv, p, next);
        for (size_t g = 0; g < conv->groups; g++) {
            Patches patches = patches_of(conv, g, 0, conv->taps);
            patches_fill(&patches, conv->call->input[0].data, (int64_t)p, (int64_t)next,
                         block.patches);
            multiply_forward(conv, g, block.patches, patch, p, next - p);
        }
    }
}

static void forward_depthwise(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    (void)piece;
    (void)pieces;
    lay_bias(conv, begin * conv->positions, end * conv->positions);
    conv_depthwise_forward(conv, begin, end);
}

static void conv_forward(const OpCall *call) {
    const ConvParams *params = call->params;
    Conv conv = conv_of(call);
    size_t rows = (size_t)conv.grid.rows, channels = (size_t)conv.grid.channels;
    double products = (double)(conv.positions * conv.taps) * (double)(conv.group_in * conv.filters);
    if (conv_is_depthwise(params, conv.grid.channels)) {
        divide(&conv, rows, products, forward_depthwise);
    } else if (is_pointwise(&params->window)) {
        lay_bias(&conv, 0, rows * conv.positions);
        for (size_t g = 0; g < conv.groups; g++)
            multiply_forward(&conv, g, call->input[0].data + g * conv.group_in, channels, 0,
                             rows * conv.positions);
    } else {
        divide(&conv, rows, products, forward_rows);
    }
}

// ---- backward: the input ----

// dP [count, taps · channels of the group] = dy · Kᵀ
static void multiply_back(const Conv *conv, size_t group, size_t first, size_t count, Real *to,
                          size_t to_row) {
    const OpCall *call = conv->call;
    size_t offset = group * conv->group_out;
    blas_gemm(0, 1, (int)count, (int)(conv->taps * conv->group_in), (int)conv->group_out, 1,
              call->output_gradient.data + first * conv->filters + offset, (int)conv->filters,
              call->weight[0].data + offset, (int)conv->filters, 0, to, (int)to_row);
}

static void input_rows(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    size_t patch = conv->taps * conv->group_in, row = conv->positions;
    Block block = block_of(conv, conv->taps, piece, pieces);
    Real *dx = conv->call->input_gradient[0].data;
    clear_rows(conv, begin, end);
    for (size_t p = begin * row, next; p < end * row; p = next) {
        next = p + block.positions < end * row ? p + block.positions : end * row;
        for (size_t g = 0; g < conv->groups; g++) {
            Patches patches = patches_of(conv, g, 0, conv->taps);
            multiply_back(conv, g, p, next - p, block.patches, patch);
            patches_add(&patches, block.patches, (int64_t)p, (int64_t)next, dx);
        }
    }
}

static void input_depthwise(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    (void)piece;
    (void)pieces;
    clear_rows(conv, begin, end);
    conv_depthwise_input(conv, begin, end);
}

// ---- backward: the kernel ----

// dK of `taps` taps (+)= aᵀ · dy, a [count, taps · channels of the group]
static void multiply_kernel(const Conv *conv, size_t group, const Real *a, size_t a_row,
                            size_t first_tap, size_t taps, size_t first, size_t count) {
    const OpCall *call = conv->call;
    size_t offset = group * conv->group_out;
    blas_gemm(1, 0, (int)(taps * conv->group_in), (int)conv->group_out, (int)count, 1, a,
              (int)a_row, call->output_gradient.data + first * conv->filters + offset,
              (int)conv->filters, first == 0 ? 0 : 1,
              call->weight_gradient[0].data + first_tap * conv->group_in * conv->filters + offset,
              (int)conv->filters);
}

static void kernel_taps(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    size_t taps = end - begin, all = (size_t)conv->grid.rows * conv->positions;
    Block block = block_of(conv, taps, piece, pieces);
    for (size_t p = 0, next; p < all; p = next) {
        next = p + block.positions < all ? p + block.positions : all;
        for (size_t g = 0; g < conv->groups; g++) {
            Patches patches = patches_of(conv, g, begin, taps);
            patches_fill(&patches, conv->call->input[0].data, (int64_t)p, (int64_t)next,
                         block.patches);
            multiply_kernel(conv, g, block.patches, taps * conv->group_in, begin, taps, p,
                            next - p);
        }
    }
}

static void kernel_depthwise(const Conv *conv, size_t begin, size_t end, int piece, int pieces) {
    (void)piece;
    (void)pieces;
    conv_depthwise_kernel(conv, begin, end);
}

static void conv_backward(const OpCall *call) {
    const ConvParams *params = call->params;
    Conv conv = conv_of(call);
    size_t rows = (size_t)conv.grid.rows, positions = rows * conv.positions;
    Real *d_kernel = call->weight_gradient[0].data, *dx = call->input_gradient[0].data;
    double products = (double)(conv.positions * conv.taps) * (double)(conv.group_in * conv.filters);
    double per_tap = products * (double)rows / (double)conv.taps;
    bool depthwise = conv_is_depthwise(params, conv.grid.channels);
    bool pointwise = !depthwise && is_pointwise(&params->window);
    if (call->weights > 1 && call->weight_gradient[1].data != NULL)
        kernel_sum_rows(call->output_gradient.data, call->weight_gradient[1].data, positions,
                        conv.filters);
    for (size_t g = 0; pointwise && g < conv.groups; g++) {
        size_t channels = (size_t)conv.grid.channels, offset = g * conv.group_in;
        if (d_kernel != NULL)
            multiply_kernel(&conv, g, call->input[0].data + offset, channels, 0, 1, 0, positions);
        if (dx != NULL)
            multiply_back(&conv, g, 0, positions, dx + offset, channels);
    }
    if (!pointwise && d_kernel != NULL)
        divide(&conv, conv.taps, per_tap, depthwise ? kernel_depthwise : kernel_taps);
    if (!pointwise && dx != NULL)
        divide(&conv, rows, products, depthwise ? input_depthwise : input_rows);
}

const OpDesc op_conv = {
    .name = "conv",
    .reference = "Goodfellow, Bengio, Courville: Deep Learning (2016), eq. 9.6; as products of "
                 "patches: Chellapilla, Puri, Simard 2006",
    .backward_reads_inputs = true,
    .shape = conv_shape,
    .length = window_length,
    .cost = conv_cost,
    .forward = conv_forward,
    .backward = conv_backward,
};
