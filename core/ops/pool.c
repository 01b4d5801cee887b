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
#include "core/ops/ops.h"

enum { GRAIN = 1 << 14 }; // inputs that are worth a thread

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
        (size_t)(extent->rows * shape_elements(output)) * sizeof(int32_t); // the tap that won
    return cost;
}

// ---- one output at a time ----

// One window: its taps that are inside, and the places of its output and of each tap's input.
typedef struct Pooled {
    const WindowGrid *grid;
    WindowTaps down, across;
    int64_t row;
    size_t output; // offset into y
} Pooled;

static inline size_t input_at(const Pooled *at, int64_t ky, int64_t kx) {
    const WindowGrid *grid = at->grid;
    int64_t line = at->row * grid->in[0] + at->down.first + ky * grid->window->dilation[0];
    int64_t column = at->across.first + kx * grid->window->dilation[1];
    return (size_t)((line * grid->in[1] + column) * grid->channels);
}

static inline int64_t taps_inside(const Pooled *at) {
    return (at->down.end - at->down.begin) * (at->across.end - at->across.begin);
}

// best[c], tap[c] = the greater of x[c] and best[c], and which it was.
static inline void take_greater(const Real *restrict x, int32_t number, Real *restrict best,
                                int32_t *restrict tap, size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        bool takes = (x[c] > best[c]) | (x[c] != x[c]);
        best[c] = takes ? x[c] : best[c];
        tap[c] = takes ? number : tap[c];
    }
}

static void max_at(const OpCall *call, const Pooled *at) {
    size_t channels = (size_t)at->grid->channels;
    Real *y = call->output.data + at->output;
    int32_t *tap = (int32_t *)call->saved + at->output;
    int64_t width = at->grid->window->size[1];
    if (taps_inside(at) == 0) {
        memset(y, 0, channels * sizeof(Real));
        memset(tap, -1, channels * sizeof(*tap));
        return;
    }
    int32_t first = (int32_t)(at->down.begin * width + at->across.begin);
    memcpy(y, call->input[0].data + input_at(at, at->down.begin, at->across.begin),
           channels * sizeof(Real));
    for (size_t c = 0; c < channels; c++)
        tap[c] = first;
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            take_greater(call->input[0].data + input_at(at, ky, kx), (int32_t)(ky * width + kx), y,
                         tap, channels);
}

// dx[c] += dy[c] where tap[c] is `number`.
static inline void give_back(const Real *restrict dy, const int32_t *restrict tap, int32_t number,
                             Real *restrict dx, size_t channels) {
    for (size_t c = 0; c < channels; c++)
        dx[c] += tap[c] == number ? dy[c] : 0;
}

static void max_back_at(const OpCall *call, const Pooled *at) {
    const int32_t *tap = (const int32_t *)call->saved + at->output;
    int64_t width = at->grid->window->size[1];
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            give_back(call->output_gradient.data + at->output, tap, (int32_t)(ky * width + kx),
                      call->input_gradient[0].data + input_at(at, ky, kx),
                      (size_t)at->grid->channels);
}

// y += factor · x
static inline void add_scaled(const Real *restrict x, Real factor, Real *restrict y,
                              size_t channels) {
    for (size_t c = 0; c < channels; c++)
        y[c] += factor * x[c];
}

static void mean_at(const OpCall *call, const Pooled *at) {
    size_t channels = (size_t)at->grid->channels;
    Real *y = call->output.data + at->output, share = 1 / (Real)taps_inside(at);
    memset(y, 0, channels * sizeof(Real));
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            add_scaled(call->input[0].data + input_at(at, ky, kx), share, y, channels);
}

static void mean_back_at(const OpCall *call, const Pooled *at) {
    Real share = 1 / (Real)taps_inside(at);
    for (int64_t ky = at->down.begin; ky < at->down.end; ky++)
        for (int64_t kx = at->across.begin; kx < at->across.end; kx++)
            add_scaled(call->output_gradient.data + at->output, share,
                       call->input_gradient[0].data + input_at(at, ky, kx),
                       (size_t)at->grid->channels);
}

// ---- all of them ----

typedef struct PoolWork {
    const OpCall *call;
    WindowGrid grid;
    void (*at)(const OpCall *call, const Pooled *at);
    bool back;
} PoolWork;

static void pool_rows(void *context, size_t begin, size_t end, int piece) {
    const PoolWork *work = context;
    const WindowGrid *grid = &work->grid;
    (void)piece;
    if (work->back) {
        size_t row = (size_t)(grid->in[0] * grid->in[1] * grid->channels);
        memset(work->call->input_gradient[0].data + begin * row, 0,
               (end - begin) * row * sizeof(Real));
    }
    size_t each = (size_t)(grid->out[0] * grid->out[1] * grid->channels);
    Pooled at = {.grid = grid, .row = (int64_t)begin, .output = begin * each};
    for (; at.row < (int64_t)end; at.row++)
        for (int64_t y = 0; y < grid->out[0]; y++) {
            at.down = window_taps(grid, 0, y, window_inputs(grid, at.row, 0));
            for (int64_t x = 0; x < grid->out[1]; x++) {
                at.across = window_taps(grid, 1, x, window_inputs(grid, at.row, 1));
                work->at(work->call, &at);
                at.output += (size_t)grid->channels;
            }
        }
}

static void pool(const OpCall *call, bool back, void (*at)(const OpCall *call, const Pooled *at)) {
    const PoolParams *params = call->params;
    PoolWork work = {call, window_grid(&params->window, &call->input[0], call->lengths), at, back};
    size_t rows = (size_t)work.grid.rows, row = op_elements(&call->input[0]) / rows;
    parallel_for(call->context->parallel, rows, GRAIN / row + 1, pool_rows, &work);
}

static void max_forward(const OpCall *call) {
    pool(call, false, max_at);
}

static void max_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        pool(call, true, max_back_at);
}

static void mean_forward(const OpCall *call) {
    pool(call, false, mean_at);
}

static void mean_backward(const OpCall *call) {
    if (call->input_gradient[0].data != NULL)
        pool(call, true, mean_back_at);
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
