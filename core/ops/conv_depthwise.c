// Depthwise convolution: each channel with a kernel of its own, as direct loops.
//
//   y [o, c] += Σ_t x [input of tap t at o, c] · K [t, c]
//
// Channels lie side by side everywhere, so every loop over them is vector code: LANES at a time
// stay in registers over all the taps.
#include <string.h>
#include "core/base/vector.h"
#include "core/ops/conv.h"

enum { LANES = 16 };

bool conv_is_depthwise(const Conv *conv) {
    return conv->group_in == 1 && conv->group_out == 1;
}

size_t conv_depthwise_scratch(const Conv *conv) {
    // The kernel's gradient: sums over a line of outputs, and over all lines in double.
    return conv->taps * conv->filters * (sizeof(double) + sizeof(Real));
}

// One output with its taps that are inside.
typedef struct Place {
    WindowTaps down, across;
    int64_t row;
} Place;

static inline __attribute__((always_inline)) Place place_of(const WindowGrid *grid, int64_t row,
                                                            int64_t y, int64_t x) {
    return (Place){window_taps(grid, 0, y, window_inputs(grid, row, 0)),
                   window_taps(grid, 1, x, window_inputs(grid, row, 1)), row};
}

// Offset of what tap (ky, kx) reads.
static inline size_t input_at(const WindowGrid *grid, const Place *place, int64_t ky, int64_t kx) {
    int64_t line = place->row * grid->in[0] + place->down.first + ky * grid->window->dilation[0];
    int64_t column = place->across.first + kx * grid->window->dilation[1];
    return (size_t)((line * grid->in[1] + column) * grid->channels);
}

// `count` channels of one output; a constant count makes it vector code.
static inline __attribute__((always_inline)) void
add_taps(const WindowGrid *grid, const Place *place, const Real *restrict x,
         const Real *restrict kernel, Real *restrict y, size_t count) {
    Real sum[LANES];
    for (size_t c = 0; c < count; c++)
        sum[c] = y[c];
    for (int64_t ky = place->down.begin; ky < place->down.end; ky++)
        for (int64_t kx = place->across.begin; kx < place->across.end; kx++) {
            const Real *from = x + input_at(grid, place, ky, kx);
            const Real *k = kernel + (size_t)((ky * grid->window->size[1] + kx) * grid->channels);
            for (size_t c = 0; c < count; c++)
                sum[c] += from[c] * k[c];
        }
    for (size_t c = 0; c < count; c++)
        y[c] = sum[c];
}

VECTOR_LOOPS static void forward_rows(void *context, size_t begin, size_t end, int thread) {
    const Conv *conv = context;
    const WindowGrid *grid = &conv->grid;
    const OpCall *call = conv->call;
    const Real *x = call->input[0].data, *kernel = call->weight[0].data;
    const Real *bias = call->weights > 1 ? call->weight[1].data : NULL;
    size_t channels = (size_t)grid->channels;
    Real *y = call->output.data + begin * conv->positions * channels;
    (void)thread;
    for (int64_t row = (int64_t)begin; row < (int64_t)end; row++)
        for (int64_t oy = 0; oy < grid->out[0]; oy++)
            for (int64_t ox = 0; ox < grid->out[1]; ox++, y += channels) {
                Place place = place_of(grid, row, oy, ox);
                size_t c = 0;
                if (bias != NULL)
                    memcpy(y, bias, channels * sizeof(Real));
                else
                    memset(y, 0, channels * sizeof(Real));
                for (; c + LANES <= channels; c += LANES)
                    add_taps(grid, &place, x + c, kernel + c, y + c, LANES);
                if (c < channels)
                    add_taps(grid, &place, x + c, kernel + c, y + c, channels - c);
            }
}

static double products_of(const Conv *conv) { // of an image
    return (double)(conv->positions * conv->taps) * (double)conv->filters;
}

static void for_chunks(const Conv *conv, size_t count, double products,
                       void (*body)(void *context, size_t begin, size_t end, int thread)) {
    parallel_for(conv->call->context->parallel, count, parallel_grain((size_t)products), body,
                 (void *)conv);
}

void conv_depthwise_forward(const Conv *conv) {
    for_chunks(conv, (size_t)conv->grid.rows, products_of(conv), forward_rows);
}

// to += a · b
static inline void add_product(Real *restrict to, const Real *restrict a, const Real *restrict b,
                               size_t count) {
    for (size_t c = 0; c < count; c++)
        to[c] += a[c] * b[c];
}

VECTOR_LOOPS static void input_rows(void *context, size_t begin, size_t end, int thread) {
    const Conv *conv = context;
    const WindowGrid *grid = &conv->grid;
    const OpCall *call = conv->call;
    size_t channels = (size_t)grid->channels;
    size_t image = (size_t)(grid->in[0] * grid->in[1]) * channels;
    const Real *dy = call->output_gradient.data + begin * conv->positions * channels;
    const Real *kernel = call->weight[0].data;
    Real *dx = call->input_gradient[0].data;
    (void)thread;
    memset(dx + begin * image, 0, (end - begin) * image * sizeof(Real));
    for (int64_t row = (int64_t)begin; row < (int64_t)end; row++)
        for (int64_t oy = 0; oy < grid->out[0]; oy++)
            for (int64_t ox = 0; ox < grid->out[1]; ox++, dy += channels) {
                Place place = place_of(grid, row, oy, ox);
                for (int64_t ky = place.down.begin; ky < place.down.end; ky++)
                    for (int64_t kx = place.across.begin; kx < place.across.end; kx++) {
                        int64_t tap = ky * grid->window->size[1] + kx;
                        add_product(dx + input_at(grid, &place, ky, kx), dy,
                                    kernel + (size_t)tap * channels, channels);
                    }
            }
}

void conv_depthwise_input(const Conv *conv) {
    for_chunks(conv, (size_t)conv->grid.rows, products_of(conv), input_rows);
}

VECTOR_LOOPS static void kernel_taps(void *context, size_t begin, size_t end, int thread) {
    const Conv *conv = context;
    const WindowGrid *grid = &conv->grid;
    const OpCall *call = conv->call;
    const Real *x = call->input[0].data;
    size_t channels = (size_t)grid->channels, count = (end - begin) * channels;
    double *sums = call->scratch; // [taps, channels], and lines [taps, channels] behind
    void *lines = sums + conv->taps * channels;
    double *sum = sums + begin * channels;
    Real *line = (Real *)lines + begin * channels;
    (void)thread;
    memset(sum, 0, count * sizeof(double));
    const Real *dy = call->output_gradient.data;
    for (int64_t row = 0; row < grid->rows; row++)
        for (int64_t oy = 0; oy < grid->out[0]; oy++) {
            memset(line, 0, count * sizeof(Real));
            for (int64_t ox = 0; ox < grid->out[1]; ox++, dy += channels) {
                Place place = place_of(grid, row, oy, ox);
                for (size_t tap = begin; tap < end; tap++) {
                    int64_t ky = (int64_t)tap / grid->window->size[1];
                    int64_t kx = (int64_t)tap % grid->window->size[1];
                    if (ky >= place.down.begin && ky < place.down.end && kx >= place.across.begin &&
                        kx < place.across.end)
                        add_product(line + (tap - begin) * channels, dy,
                                    x + input_at(grid, &place, ky, kx), channels);
                }
            }
            for (size_t i = 0; i < count; i++)
                sum[i] += line[i];
        }
    Real *gradient = call->weight_gradient[0].data + begin * channels;
    for (size_t i = 0; i < count; i++)
        gradient[i] = (Real)sum[i];
}

void conv_depthwise_kernel(const Conv *conv) {
    double rows = (double)conv->grid.rows;
    for_chunks(conv, conv->taps, products_of(conv) * rows / (double)conv->taps, kernel_taps);
}
