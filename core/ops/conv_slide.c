// Convolutions as sliding products (core/tensor/slides.h): what the window of one output reads are
// runs of numbers in the images themselves, so nothing is laid out for a matrix product.
//
// Images are walked in tiles: some lines of outputs, and where lines are very long some columns of
// them, so that what a tile reads stays in a core's cache. Where a tile may reach outside, or behind
// a row's length, its part of the image is copied with zeros around it; else it is read in place.
//
//   forward:  y's tile  = b + runs of x · K          a run: a kernel row of taps, or one tap
//   dK:       dK       += runs of x, turned, · dy's tile
//   dx:       the inputs of one phase (those at φ, φ + stride, …) are read by the same taps, each at
//             an offset of its own in dy: they are a convolution of dy, padded with zeros, by those
//             taps of K, turned to [filter, channel]. Each tap is a run, of the filters.
//
// Threads share the images of y and dx, and the rows of dK.
#include <string.h>
#include "core/ops/conv.h"
#include "core/tensor/slides.h"

enum {
    TILE = 1 << 15,   // numbers that a tile reads: 128 KiB
    COLUMNS_MIN = 32, // outputs of a line in a tile, at least
    THREADS_MAX = 16, // threads that have room for a tile
    ALIGNMENT = 64 / sizeof(Real),
};

static size_t aligned(size_t elements) {
    return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

// How an array of images is read in tiles, along both axes ([h, w]).
typedef struct Tiling {
    int64_t in[2], out[2];      // places of the array; of what is computed
    int64_t stride[2];          // from what one output reads to the next's
    int64_t first[2], reach[2]; // output 0 reads places [first, first + reach)
    int64_t channels;
    int64_t outs[2], places[2]; // of a tile: outputs, and the places that they read
} Tiling;

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

// Outputs along an axis that can be had for `places`.
static int64_t outs_for(const Tiling *tiling, int axis, int64_t places) {
    return (places - tiling->reach[axis]) / tiling->stride[axis] + 1;
}

static int64_t places_for(const Tiling *tiling, int axis, int64_t outs) {
    return (outs - 1) * tiling->stride[axis] + tiling->reach[axis];
}

// Sets a tile's size: whole lines where they fit, as many as fit.
static void set_tile(Tiling *tiling) {
    int64_t line = tiling->reach[0] * tiling->channels; // numbers of a column of one output line
    tiling->outs[1] = least(tiling->out[1], most(outs_for(tiling, 1, TILE / line), COLUMNS_MIN));
    tiling->places[1] = places_for(tiling, 1, tiling->outs[1]);
    int64_t lines = TILE / (tiling->places[1] * tiling->channels);
    tiling->outs[0] = least(tiling->out[0], most(outs_for(tiling, 0, lines), 1));
    tiling->places[0] = places_for(tiling, 0, tiling->outs[0]);
}

static size_t tile_elements(const Tiling *tiling) {
    return aligned((size_t)(tiling->places[0] * tiling->places[1] * tiling->channels));
}

// x in tiles, for y and dK.
static Tiling tiling_of(const Conv *conv) {
    const WindowGrid *grid = &conv->grid;
    Tiling tiling = {.channels = grid->channels};
    for (int axis = 0; axis < 2; axis++) {
        tiling.in[axis] = grid->in[axis];
        tiling.out[axis] = grid->out[axis];
        tiling.stride[axis] = grid->window->stride[axis];
        tiling.first[axis] = -grid->before[axis];
        tiling.reach[axis] = grid->window->dilation[axis] * (grid->window->size[axis] - 1) + 1;
    }
    set_tile(&tiling);
    return tiling;
}

// The inputs φ, φ + stride, … along one axis: tap k reads them where (φ + before − k · dilation) is
// a multiple of the stride, from as many outputs further on.
static bool phase_tap(const WindowGrid *grid, int axis, int64_t phase, int64_t tap,
                      int64_t *ret_offset) {
    int64_t stride = grid->window->stride[axis];
    int64_t distance = phase + grid->before[axis] - tap * grid->window->dilation[axis];
    *ret_offset = distance / stride; // exact where it counts
    return distance % stride == 0;
}

// dy in tiles, for the inputs of one phase. Without taps, reach is 0.
static Tiling phase_tiling(const Conv *conv, const int64_t phase[2]) {
    const WindowGrid *grid = &conv->grid;
    Tiling tiling = {.stride = {1, 1}, .channels = (int64_t)conv->filters};
    for (int axis = 0; axis < 2; axis++) {
        int64_t stride = grid->window->stride[axis], low = INT64_MAX, high = INT64_MIN, offset;
        for (int64_t tap = 0; tap < grid->window->size[axis]; tap++)
            if (phase_tap(grid, axis, phase[axis], tap, &offset)) {
                low = least(low, offset);
                high = most(high, offset);
            }
        tiling.in[axis] = grid->out[axis];
        tiling.out[axis] = (grid->in[axis] - phase[axis] + stride - 1) / stride;
        tiling.first[axis] = low <= high ? low : 0;
        tiling.reach[axis] = low <= high ? high - low + 1 : 1;
    }
    set_tile(&tiling);
    return tiling;
}

// ---- memory ----

// The scratch: the kernel and the bias as the products read them, the runs' offsets, and a tile for
// each thread.
typedef struct Scratch {
    size_t kernel, bias, runs, tile; // elements of each
    Real *packed, *packed_bias, *tiles;
    size_t *run_at; // [taps]
} Scratch;

static size_t runs_elements(const Conv *conv) {
    return aligned((conv->taps * sizeof(size_t) + sizeof(Real) - 1) / sizeof(Real));
}

static Scratch scratch_at(const Conv *conv, size_t kernel, size_t bias, size_t tile) {
    Scratch scratch = {.kernel = aligned(kernel),
                       .bias = aligned(bias),
                       .runs = runs_elements(conv),
                       .tile = tile};
    if (conv->call == NULL)
        return scratch;
    void *memory = conv->call->scratch;
    scratch.run_at = memory;
    scratch.packed = (Real *)memory + scratch.runs;
    scratch.packed_bias = scratch.packed + scratch.kernel;
    scratch.tiles = scratch.packed_bias + scratch.bias;
    return scratch;
}

static size_t scratch_bytes(const Scratch *scratch) {
    return (scratch->kernel + scratch->bias + scratch->runs + THREADS_MAX * scratch->tile) *
           sizeof(Real);
}

static const SlideKernel *forward_kernel(const Conv *conv) {
    return slide_kernel(conv->group_out);
}

static const SlideKernel *input_kernel(const Conv *conv) {
    return slide_kernel(conv->group_in);
}

static Scratch forward_scratch(const Conv *conv, const Tiling *tiling) {
    const SlideKernel *kernel = forward_kernel(conv);
    size_t patch = conv->taps * conv->group_in;
    return scratch_at(conv, conv->groups * slides_elements(kernel, patch, conv->group_out),
                      conv->groups * slides_elements(kernel, 1, conv->group_out),
                      tile_elements(tiling));
}

static Scratch input_scratch(const Conv *conv, size_t tile) {
    const SlideKernel *kernel = input_kernel(conv);
    size_t patch = conv->taps * conv->group_out;
    return scratch_at(conv, conv->groups * slides_elements(kernel, patch, conv->group_in), 0, tile);
}

// Of any phase.
static size_t phase_tile(const Conv *conv) {
    const int64_t *stride = conv->grid.window->stride;
    size_t largest = 0;
    for (int64_t y = 0; y < least(stride[0], conv->grid.in[0]); y++)
        for (int64_t x = 0; x < least(stride[1], conv->grid.in[1]); x++) {
            Tiling tiling = phase_tiling(conv, (const int64_t[]){y, x});
            size_t tile = tile_elements(&tiling);
            largest = tile > largest ? tile : largest;
        }
    return largest;
}

size_t conv_slide_scratch(const Conv *conv) {
    Tiling tiling = tiling_of(conv);
    Scratch forward = forward_scratch(conv, &tiling), input = input_scratch(conv, phase_tile(conv));
    size_t a = scratch_bytes(&forward), b = scratch_bytes(&input);
    return a > b ? a : b;
}

// ---- tiles ----

// A tile of some image.
typedef struct Tile {
    int64_t image;
    int64_t at[2], outs[2]; // its first output, and how many
} Tile;

// What a tile reads, in place or copied.
typedef struct Source {
    const Real *data;     // of what output 0 reads first
    size_t line, columns; // elements from one line to the next; places of a line
} Source;

// The places that the tile reads of `inputs` [h, w] ones, into `to` with zeros where there are none.
static void copy_tile(const Tiling *tiling, const Tile *tile, const int64_t inputs[2],
                      const Real *image, Real *to) {
    size_t channels = (size_t)tiling->channels, line = (size_t)tiling->places[1] * channels;
    int64_t left = tile->at[1] * tiling->stride[1] + tiling->first[1];
    int64_t width = places_for(tiling, 1, tile->outs[1]);
    int64_t begin = least(most(-left, 0), width), end = most(least(inputs[1] - left, width), begin);
    int64_t top = tile->at[0] * tiling->stride[0] + tiling->first[0];
    for (int64_t l = 0; l < places_for(tiling, 0, tile->outs[0]); l++, to += line) {
        int64_t y = top + l;
        if (y < 0 || y >= inputs[0]) {
            memset(to, 0, (size_t)width * channels * sizeof(Real));
            continue;
        }
        memset(to, 0, (size_t)begin * channels * sizeof(Real));
        memcpy(to + (size_t)begin * channels,
               image + (size_t)((y * tiling->in[1] + left + begin) * tiling->channels),
               (size_t)(end - begin) * channels * sizeof(Real));
        memset(to + (size_t)end * channels, 0, (size_t)(width - end) * channels * sizeof(Real));
    }
}

static Tile tile_first(const Tiling *tiling, int64_t image) {
    return (Tile){image,
                  {0, 0},
                  {least(tiling->outs[0], tiling->out[0]), least(tiling->outs[1], tiling->out[1])}};
}

// The next one of the same image; false: there is none.
static bool tile_next(const Tiling *tiling, Tile *tile) {
    tile->at[1] += tile->outs[1];
    if (tile->at[1] == tiling->out[1]) {
        tile->at[1] = 0;
        tile->at[0] += tile->outs[0];
    }
    for (int axis = 0; axis < 2; axis++)
        tile->outs[axis] = least(tiling->outs[axis], tiling->out[axis] - tile->at[axis]);
    return tile->at[0] < tiling->out[0];
}

// ---- the work of all threads ----

typedef struct Work {
    const Conv *conv;
    const SlideKernel *kernel;
    Tiling tiling;
    Scratch scratch;
    bool in_place;   // tiles are read where they are
    bool whole_rows; // a run is a kernel row of taps
    // For dx: the phase, and its taps.
    int64_t phase[2];
    size_t runs;
    const Real *packed;
} Work;

// `products` of an item; at least `fewest` items in a chunk.
static void for_chunks(const Conv *conv, size_t count, double products, size_t fewest,
                       void (*body)(void *context, size_t begin, size_t end, int thread),
                       Work *work) {
    size_t grain =
        parallel_grain(products > (double)(1 << 30) ? (size_t)1 << 30 : (size_t)products);
    size_t room = (count + THREADS_MAX - 1) / THREADS_MAX;
    grain = grain > room ? grain : room;
    parallel_for(conv->call->context->parallel, count, grain > fewest ? grain : fewest, body, work);
}

static Real *tile_memory(const Work *work, int thread) {
    return work->scratch.tiles + (size_t)thread * work->scratch.tile;
}

// x as the runs read it.
static Source source_of(const Work *work, const Tile *tile, int thread) {
    const WindowGrid *grid = &work->conv->grid;
    const Tiling *tiling = &work->tiling;
    size_t image = (size_t)(grid->in[0] * grid->in[1] * grid->channels);
    const Real *x = work->conv->call->input[0].data + (size_t)tile->image * image;
    if (work->in_place) {
        int64_t y = tile->at[0] * tiling->stride[0], column = tile->at[1] * tiling->stride[1];
        return (Source){x + (size_t)((y * grid->in[1] + column) * grid->channels),
                        (size_t)(grid->in[1] * grid->channels), (size_t)grid->in[1]};
    }
    const int64_t inputs[2] = {window_inputs(grid, tile->image, 0),
                               window_inputs(grid, tile->image, 1)};
    copy_tile(tiling, tile, inputs, x, tile_memory(work, thread));
    return (Source){tile_memory(work, thread), (size_t)(tiling->places[1] * grid->channels),
                    (size_t)tiling->places[1]};
}

// The products that make y from x, or dK from both, for the tiles of this work.
static Work work_of(const Conv *conv) {
    const Window *window = conv->grid.window;
    Work work = {.conv = conv, .kernel = forward_kernel(conv), .tiling = tiling_of(conv)};
    work.scratch = forward_scratch(conv, &work.tiling);
    work.whole_rows = window->dilation[1] == 1 && conv->groups == 1;
    work.in_place = conv->call->lengths == NULL;
    for (int axis = 0; axis < 2; axis++)
        work.in_place =
            work.in_place && conv->grid.before[axis] == 0 &&
            places_for(&work.tiling, axis, work.tiling.out[axis]) <= work.tiling.in[axis];
    int64_t line = work.in_place ? conv->grid.in[1] : work.tiling.places[1];
    for (size_t tap = 0; tap < conv->taps; tap++) {
        int64_t ky = (int64_t)tap / window->size[1], kx = (int64_t)tap % window->size[1];
        size_t run = work.whole_rows ? (size_t)ky : tap;
        if (!work.whole_rows || kx == 0)
            work.scratch.run_at[run] =
                (size_t)((ky * window->dilation[0] * line + kx * window->dilation[1]) *
                         conv->grid.channels);
    }
    work.runs = work.whole_rows ? (size_t)window->size[0] : conv->taps;
    return work;
}

// The outputs of a tile in y or dy: where they begin, and the product's sizes.
static Slide slide_of(const Work *work, const Tile *tile, const Source *source) {
    const Conv *conv = work->conv;
    const Window *window = conv->grid.window;
    return (Slide){.lines = (size_t)tile->outs[0],
                   .line_step = source->line * (size_t)window->stride[0],
                   .rows = (size_t)tile->outs[1],
                   .row_step = (size_t)(conv->grid.channels * window->stride[1]),
                   .runs = work->runs,
                   .run = conv->taps / work->runs * conv->group_in,
                   .run_at = work->scratch.run_at,
                   .columns = conv->group_out,
                   .y_line_step = (size_t)conv->grid.out[1] * conv->filters,
                   .y_step = conv->filters};
}

static size_t output_at(const Conv *conv, const Tile *tile) {
    size_t line = (size_t)(tile->image * conv->grid.out[0] + tile->at[0]);
    return (line * (size_t)conv->grid.out[1] + (size_t)tile->at[1]) * conv->filters;
}

// ---- forward ----

static void forward_images(void *context, size_t begin, size_t end, int thread) {
    const Work *work = context;
    const Conv *conv = work->conv;
    const OpCall *call = conv->call;
    size_t packed = slides_elements(work->kernel, conv->taps * conv->group_in, conv->group_out);
    size_t bias = slides_elements(work->kernel, 1, conv->group_out);
    const Real *y_end = call->output.data + end * conv->positions * conv->filters;
    for (size_t image = begin; image < end; image++) {
        Tile tile = tile_first(&work->tiling, (int64_t)image);
        do {
            Source source = source_of(work, &tile, thread);
            Slide slide = slide_of(work, &tile, &source);
            for (size_t g = 0; g < conv->groups; g++)
                work->kernel->forward(
                    &slide, source.data + g * conv->group_in, work->scratch.packed + g * packed,
                    call->weights > 1 ? work->scratch.packed_bias + g * bias : NULL,
                    call->output.data + output_at(conv, &tile) + g * conv->group_out, y_end);
        } while (tile_next(&work->tiling, &tile));
    }
}

static void pack_forward(const Work *work) {
    const Conv *conv = work->conv;
    const OpCall *call = conv->call;
    size_t patch = conv->taps * conv->group_in;
    size_t packed = slides_elements(work->kernel, patch, conv->group_out);
    size_t bias = slides_elements(work->kernel, 1, conv->group_out);
    for (size_t g = 0; g < conv->groups; g++) {
        size_t filter = g * conv->group_out;
        slides_pack(work->kernel, patch, conv->group_out, 0, patch, call->weight[0].data + filter,
                    conv->filters, 1, work->scratch.packed + g * packed);
        if (call->weights > 1)
            slides_pack(work->kernel, 1, conv->group_out, 0, 1, call->weight[1].data + filter, 0, 1,
                        work->scratch.packed_bias + g * bias);
    }
}

static double products_of(const Conv *conv) { // of an image
    return (double)(conv->positions * conv->taps) * (double)(conv->group_in * conv->filters);
}

void conv_slide_forward(const Conv *conv) {
    Work work = work_of(conv);
    pack_forward(&work);
    for_chunks(conv, (size_t)conv->grid.rows, products_of(conv), 1, forward_images, &work);
}

// ---- the kernel's gradient ----

// Rows [begin, end) of K [taps · channels of a group, filters], of what a tile has to add.
static void add_weights(const Work *work, const Tile *tile, const Source *source, size_t begin,
                        size_t end) {
    const Conv *conv = work->conv;
    const OpCall *call = conv->call;
    Slide slide = slide_of(work, tile, source);
    size_t run = slide.run;
    const Real *dy = call->output_gradient.data;
    const Real *dy_end = dy + op_elements(&call->output);
    slide.runs = 1;
    for (size_t s = begin / run; s * run < end; s++) {
        size_t first = s * run > begin ? s * run : begin;
        size_t last = (s + 1) * run < end ? (s + 1) * run : end;
        slide.run = last - first;
        slide.run_at = work->scratch.run_at + s;
        for (size_t g = 0; g < conv->groups; g++)
            work->kernel->weights(&slide, source->data + g * conv->group_in + (first - s * run),
                                  dy + output_at(conv, tile) + g * conv->group_out, dy_end,
                                  call->weight_gradient[0].data + first * conv->filters +
                                      g * conv->group_out,
                                  conv->filters);
    }
}

static void kernel_rows(void *context, size_t begin, size_t end, int thread) {
    const Work *work = context;
    const Conv *conv = work->conv;
    memset(conv->call->weight_gradient[0].data + begin * conv->filters, 0,
           (end - begin) * conv->filters * sizeof(Real));
    for (int64_t image = 0; image < conv->grid.rows; image++) {
        Tile tile = tile_first(&work->tiling, image);
        do {
            Source source = source_of(work, &tile, thread);
            add_weights(work, &tile, &source, begin, end);
        } while (tile_next(&work->tiling, &tile));
    }
}

void conv_slide_kernel(const Conv *conv) {
    Work work = work_of(conv);
    size_t rows = conv->taps * conv->group_in;
    double each = products_of(conv) * (double)conv->grid.rows / (double)rows;
    // A chunk goes through all images.
    for_chunks(conv, rows, each, parallel_share(conv->call->context->parallel, rows), kernel_rows,
               &work);
}

// ---- the input's gradient ----

// The taps that read inputs of the phase, as runs of filters in dy's tile, and their K turned to
// [filter, channel] of a group.
static void pack_phase(Work *work) {
    const Conv *conv = work->conv;
    const WindowGrid *grid = &conv->grid;
    const Tiling *tiling = &work->tiling;
    const int64_t *size = grid->window->size;
    int64_t y, x;
    work->runs = 0;
    for (int64_t tap = 0; tap < size[0] * size[1]; tap++)
        if (phase_tap(grid, 0, work->phase[0], tap / size[1], &y) &&
            phase_tap(grid, 1, work->phase[1], tap % size[1], &x))
            work->scratch.run_at[work->runs++] =
                (size_t)(((y - tiling->first[0]) * tiling->places[1] + x - tiling->first[1]) *
                         tiling->channels);
    size_t numbers = work->runs * conv->group_out, run = 0;
    size_t packed = slides_elements(work->kernel, numbers, conv->group_in);
    for (int64_t tap = 0; tap < size[0] * size[1]; tap++) {
        if (!phase_tap(grid, 0, work->phase[0], tap / size[1], &y) ||
            !phase_tap(grid, 1, work->phase[1], tap % size[1], &x))
            continue;
        const Real *kernel =
            conv->call->weight[0].data + (size_t)tap * conv->group_in * conv->filters;
        for (size_t g = 0; g < conv->groups; g++)
            slides_pack(work->kernel, numbers, conv->group_in, run, run + conv->group_out,
                        kernel + g * conv->group_out, 1, conv->filters,
                        work->scratch.packed + g * packed);
        run += conv->group_out;
    }
}

static void input_images(void *context, size_t begin, size_t end, int thread) {
    const Work *work = context;
    const Conv *conv = work->conv;
    const WindowGrid *grid = &conv->grid;
    const Tiling *tiling = &work->tiling;
    const int64_t *stride = grid->window->stride;
    size_t image_in = (size_t)(grid->in[0] * grid->in[1] * grid->channels);
    size_t packed = slides_elements(work->kernel, work->runs * conv->group_out, conv->group_in);
    Real *dx = conv->call->input_gradient[0].data;
    for (size_t image = begin; image < end; image++) {
        const Real *dy = conv->call->output_gradient.data + image * conv->positions * conv->filters;
        Tile tile = tile_first(tiling, (int64_t)image);
        do {
            Real *copy = tile_memory(work, thread);
            copy_tile(tiling, &tile, tiling->in, dy, copy);
            Slide slide = {.lines = (size_t)tile.outs[0],
                           .line_step = (size_t)tiling->places[1] * conv->filters,
                           .rows = (size_t)tile.outs[1],
                           .row_step = conv->filters,
                           .runs = work->runs,
                           .run = conv->group_out,
                           .run_at = work->scratch.run_at,
                           .columns = conv->group_in,
                           .y_line_step = (size_t)(stride[0] * grid->in[1] * grid->channels),
                           .y_step = (size_t)(stride[1] * grid->channels)};
            int64_t y = work->phase[0] + tile.at[0] * stride[0];
            int64_t x = work->phase[1] + tile.at[1] * stride[1];
            Real *to = dx + image * image_in + (size_t)((y * grid->in[1] + x) * grid->channels);
            for (size_t g = 0; g < conv->groups; g++)
                work->kernel->forward(&slide, copy + g * conv->group_out,
                                      work->scratch.packed + g * packed, NULL,
                                      to + g * conv->group_in, dx + end * image_in);
        } while (tile_next(tiling, &tile));
    }
}

static void clear_padding(const Conv *conv) {
    const OpCall *call = conv->call;
    const Tensor *dx = &call->input_gradient[0];
    size_t time = (size_t)dx->shape.dim[1], row = op_elements(dx) / (size_t)conv->grid.rows;
    for (size_t r = 0; call->lengths != NULL && r < (size_t)conv->grid.rows; r++) {
        size_t data = row / time * (size_t)call->lengths[r];
        memset(dx->data + r * row + data, 0, (row - data) * sizeof(Real));
    }
}

void conv_slide_input(const Conv *conv) {
    const WindowGrid *grid = &conv->grid;
    Work work = {.conv = conv, .kernel = input_kernel(conv)};
    work.scratch = input_scratch(conv, phase_tile(conv));
    int64_t phases[2] = {least(grid->window->stride[0], grid->in[0]),
                         least(grid->window->stride[1], grid->in[1])};
    for (int64_t phase = 0; phase < phases[0] * phases[1]; phase++) {
        work.phase[0] = phase / phases[1];
        work.phase[1] = phase % phases[1];
        work.tiling = phase_tiling(conv, work.phase);
        pack_phase(&work);
        for_chunks(conv, (size_t)grid->rows, products_of(conv) / (double)(phases[0] * phases[1]), 1,
                   input_images, &work);
    }
    clear_padding(conv);
}
