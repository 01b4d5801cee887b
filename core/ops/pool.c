// Pooling over windows, each channel by itself; what is outside is left out.
//
//   max:  y[o, c] = max over the taps inside; dx gets dy at the tap that gave it, the first of equals
//   mean: y[o, c] = (Σ over the taps inside) / how many; dx gets dy / how many at each of them
//
// A window with no tap inside (behind a row's length) gives 0. A NaN is greater than any number, so
// that pooling never hides one.
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/ops/ops.h"

#define INLINE static inline __attribute__((always_inline))

// Vectors of 16 bytes, which every processor has, and places in a row as wide as what they are
// places of. Channels are often few: wider ones would be empty for the most part.
enum { LANES = 16 / sizeof(Real) };
typedef Real RealLanes __attribute__((vector_size(16)));
#ifdef BACKPROPD_DOUBLE
typedef int64_t Place;
#define ORDER ((PlaceLanes){0, 1})
#else
typedef int32_t Place;
#define ORDER ((PlaceLanes){0, 1, 2, 3})
#endif
typedef Place PlaceLanes __attribute__((vector_size(16)));

INLINE RealLanes load(const Real *from, size_t count) {
    RealLanes lanes = {0};
    if (count == LANES)
        memcpy(&lanes, from, sizeof(lanes));
    for (size_t c = 0; count < LANES && c < count; c++)
        lanes[c] = from[c];
    return lanes;
}

static int pool_shape(const void *params, int inputs, const Shape *input, Shape *ret_output,
                      char why[OP_WHY]) {
    if (inputs != 1) {
        snprintf(why, OP_WHY, "pooling has one input");
        return ERR_INVALID;
    }
    const PoolParams *pool = params;
    return window_shape(&pool->window, &input[0], shape_last(&input[0]), ret_output, why);
}

static OpCost pool_cost(const void *params, const OpExtent *extent, const Shape *output) {
    const Window *window = &((const PoolParams *)params)->window;
    double reads = (double)extent->rows * (double)shape_elements(output) *
                   (double)(window->size[0] * window->size[1]);
    return (OpCost){.forward_flops = reads, .backward_flops = reads};
}

static OpCost mean_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                        const Shape *output) {
    (void)inputs;
    (void)input;
    return pool_cost(params, extent, output);
}

static OpCost max_cost(const void *params, const OpExtent *extent, int inputs, const Shape *input,
                       const Shape *output) {
    (void)inputs;
    (void)input;
    OpCost cost = pool_cost(params, extent, output);
    cost.saved_bytes =
        (size_t)(extent->rows * shape_elements(output)) * sizeof(Place); // the input that won
    return cost;
}

// ---- one output at a time ----

// One window: its taps that are inside, and where its row and its output begin.
typedef struct Pooled {
    const WindowGrid *grid;
    WindowTaps down, across;
    size_t input, output; // offsets of its row in x, and of its own in y
    bool roomy;           // LANES numbers may be read and written wherever a channel is
} Pooled;

// Offset within the row.
static inline size_t input_at(const Pooled *at, int64_t ky, int64_t kx) {
    const WindowGrid *grid = at->grid;
    int64_t line = at->down.first + ky * grid->window->dilation[0];
    int64_t column = at->across.first + kx * grid->window->dilation[1];
    return (size_t)((line * grid->in[1] + column) * grid->channels);
}

static inline int64_t taps_inside(const Pooled *at) {
    return (at->down.end - at->down.begin) * (at->across.end - at->across.begin);
}

// LANES channels of one window from `channel` on, or `count` less: what LANES read and write beyond
// the channels is put right by the next window (see visit_rows).
INLINE void max_lanes(const Real *x, const Pooled *at, size_t channel, Real *y, Place *winner,
                      size_t count) {
    size_t first = input_at(at, at->down.begin, at->across.begin) + channel;
    RealLanes best = load(x + first, count);
    PlaceLanes from = ORDER + (Place)first;
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++) {
            size_t tap = input_at(at, ky, kx) + channel;
            RealLanes value = load(x + tap, count);
            PlaceLanes takes = (value > best) | (value != value); // all bits, or none
            best = (RealLanes)(((PlaceLanes)value & takes) | ((PlaceLanes)best & ~takes));
            from = ((ORDER + (Place)tap) & takes) | (from & ~takes);
        }
    if (count == LANES) {
        memcpy(y + channel, &best, sizeof(best));
        memcpy(winner + channel, &from, sizeof(from));
    }
    for (size_t c = 0; count < LANES && c < count; c++) {
        y[channel + c] = best[c];
        winner[channel + c] = from[c];
    }
}

INLINE void max_at(const OpCall *call, const Pooled *at) {
    size_t channels = (size_t)at->grid->channels, c = 0;
    const Real *x = call->input[0].data + at->input;
    Real *y = call->output.data + at->output;
    Place *winner = (Place *)call->saved + at->output;
    if (taps_inside(at) == 0) {
        memset(y, 0, channels * sizeof(Real));
        memset(winner, -1, channels * sizeof(*winner));
        return;
    }
    for (; c + LANES <= channels || (c < channels && at->roomy); c += LANES)
        max_lanes(x, at, c, y, winner, LANES);
    if (c < channels)
        max_lanes(x, at, c, y, winner, channels - c);
}

INLINE void max_back_at(const OpCall *call, const Pooled *at) {
    const Place *winner = (const Place *)call->saved + at->output;
    const Real *dy = call->output_gradient.data + at->output;
    Real *dx = call->input_gradient[0].data + at->input;
    for (int64_t c = 0; taps_inside(at) > 0 && c < at->grid->channels; c++)
        dx[winner[c]] += dy[c];
}

// y += factor · x
INLINE void add_scaled(const Real *restrict x, Real factor, Real *restrict y, size_t channels) {
    for (size_t c = 0; c < channels; c++)
        y[c] += factor * x[c];
}

INLINE void mean_lanes(const Real *x, const Pooled *at, Real share, Real *y, size_t count) {
    RealLanes sum = {0};
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            sum += load(x + input_at(at, ky, kx), count);
    sum *= share;
    if (count == LANES)
        memcpy(y, &sum, sizeof(sum));
    for (size_t c = 0; count < LANES && c < count; c++)
        y[c] = sum[c];
}

INLINE void mean_at(const OpCall *call, const Pooled *at) {
    size_t channels = (size_t)at->grid->channels, c = 0;
    const Real *x = call->input[0].data + at->input;
    Real *y = call->output.data + at->output;
    Real share = taps_inside(at) > 0 ? 1 / (Real)taps_inside(at) : 0;
    for (; c + LANES <= channels || (c < channels && at->roomy); c += LANES)
        mean_lanes(x + c, at, share, y + c, LANES);
    if (c < channels)
        mean_lanes(x + c, at, share, y + c, channels - c);
}

INLINE void mean_back_at(const OpCall *call, const Pooled *at) {
    const Real *dy = call->output_gradient.data + at->output;
    Real *dx = call->input_gradient[0].data + at->input, share = 1 / (Real)taps_inside(at);
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            add_scaled(dy, share, dx + input_at(at, ky, kx), (size_t)at->grid->channels);
}

// ---- all of them ----

typedef struct PoolWork {
    const OpCall *call;
    WindowGrid grid;
} PoolWork;

// `visit` for every window of the rows [begin, end); inline, so that each use becomes vector code of its own.
INLINE void visit_rows(const PoolWork *work, size_t begin, size_t end,
                       void (*visit)(const OpCall *call, const Pooled *at)) {
    const WindowGrid *grid = &work->grid;
    size_t each_in = (size_t)(grid->in[0] * grid->in[1] * grid->channels);
    size_t each_out = (size_t)(grid->out[0] * grid->out[1] * grid->channels);
    size_t all = (size_t)grid->rows * each_in;
    Pooled at = {.grid = grid, .output = begin * each_out};
    for (size_t row = begin; row < end; row++) {
        at.input = row * each_in;
        for (int64_t y = 0; y < grid->out[0]; y++) {
            at.down = window_taps(grid, 0, y, window_inputs(grid, (int64_t)row, 0));
            for (int64_t x = 0; x < grid->out[1]; x++) {
                at.across = window_taps(grid, 1, x, window_inputs(grid, (int64_t)row, 1));
                at.roomy = at.input + each_in + LANES <= all &&
                           at.output + (size_t)grid->channels + LANES <= end * each_out;
                visit(work->call, &at);
                at.output += (size_t)grid->channels;
            }
        }
    }
}

static void clear_rows(const PoolWork *work, size_t begin, size_t end) {
    const WindowGrid *grid = &work->grid;
    size_t row = (size_t)(grid->in[0] * grid->in[1] * grid->channels);
    memset(work->call->input_gradient[0].data + begin * row, 0, (end - begin) * row * sizeof(Real));
}

static void max_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    visit_rows(context, begin, end, max_at);
}

VECTOR_LOOPS static void max_back_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    clear_rows(context, begin, end);
    visit_rows(context, begin, end, max_back_at);
}

static void mean_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    visit_rows(context, begin, end, mean_at);
}

VECTOR_LOOPS static void mean_back_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    clear_rows(context, begin, end);
    visit_rows(context, begin, end, mean_back_at);
}

static void pool(const OpCall *call,
                 void (*rows)(void *context, size_t begin, size_t end, int thread)) {
    const PoolParams *params = call->params;
    PoolWork work = {call, window_grid(&params->window, &call->input[0], call->lengths)};
    size_t count = (size_t)work.grid.rows, row = op_elements(&call->input[0]) / count;
    parallel_for(call->context->parallel, count, parallel_grain(row), rows, &work);
}

static void max_forward(const OpCall *call) {
    pool(call, max_rows);
}

static void max_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        pool(call, max_back_rows);
}

static void mean_forward(const OpCall *call) {
    pool(call, mean_rows);
}

static void mean_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        pool(call, mean_back_rows);
}

const OpDesc op_max_pool = {
    .name = "max_pool",
    .reference = "Ranzato et al. 2007; Goodfellow, Bengio, Courville: Deep Learning (2016), "
                 "section 9.3",
    .shape = pool_shape,
    .length = window_length,
    .cost = max_cost,
    .forward = max_forward,
    .backward = max_backward,
};

const OpDesc op_avg_pool = {
    .name = "avg_pool",
    .reference = "LeCun et al. 1998: Gradient-Based Learning Applied to Document Recognition, "
                 "section II.B",
    .shape = pool_shape,
    .length = window_length,
    .cost = mean_cost,
    .forward = mean_forward,
    .backward = mean_backward,
};
