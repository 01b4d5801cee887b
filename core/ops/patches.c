// Copies between images and patches. The taps of one kernel row lie side by side in both where
// there is neither dilation nor a group of channels: then they are copied as one run.
//
// Runs are short (5 numbers in LeNet's first layer), so a copy is done in whole vectors that write
// over what follows: patches are filled in ascending order, and the next run puts that right.
#include "core/ops/patches.h"
#include <string.h>

enum { VECTOR = PATCHES_SLACK, SHORT_RUN = 8 * VECTOR };

// `end`: of the array that `from` is in.
static inline void copy_run(Real *restrict to, const Real *restrict from, size_t count,
                            const Real *end) {
    size_t rounded = (count + VECTOR - 1) / VECTOR * VECTOR;
    if (count > SHORT_RUN || rounded > (size_t)(end - from)) {
        memcpy(to, from, count * sizeof(Real));
        return;
    }
    for (size_t i = 0; i < rounded; i += VECTOR)
        memcpy(to + i, from + i, VECTOR * sizeof(Real));
}

static inline void add_run(Real *restrict to, const Real *restrict from, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

// One output, and the kernel rows that its window has.
typedef struct Position {
    int64_t row, y, x;
} Position;

static Position position_at(const WindowGrid *grid, int64_t index) {
    int64_t line = index / grid->out[1];
    return (Position){line / grid->out[0], line % grid->out[0], index % grid->out[1]};
}

static void position_next(const WindowGrid *grid, Position *at) {
    if (++at->x < grid->out[1])
        return;
    at->x = 0;
    if (++at->y < grid->out[0])
        return;
    at->y = 0;
    at->row++;
}

// The part of a kernel row's taps that is wanted and inside.
typedef struct Segment {
    int64_t wanted_begin, wanted_end; // taps along the width
    int64_t begin, end;               // of them inside; empty: begin == end
    size_t offset;                    // into the images, of tap `begin`'s first channel
} Segment;

static inline int64_t clamp(int64_t value, int64_t low, int64_t high) {
    return value < low ? low : value > high ? high : value;
}

static inline Segment segment_of(const Patches *patches, const Position *at, WindowTaps down,
                                 WindowTaps across, int64_t ky) {
    const WindowGrid *grid = patches->grid;
    const Window *window = grid->window;
    int64_t width = window->size[1], first = patches->first_tap - ky * width;
    Segment segment = {.wanted_begin = clamp(first, 0, width),
                       .wanted_end = clamp(first + patches->taps, 0, width)};
    bool inside = ky >= down.begin && ky < down.end;
    segment.begin = clamp(across.begin, segment.wanted_begin, segment.wanted_end);
    segment.end = inside ? clamp(across.end, segment.begin, segment.wanted_end) : segment.begin;
    if (segment.begin < segment.end) {
        int64_t line = at->row * grid->in[0] + down.first + ky * window->dilation[0];
        int64_t column = across.first + segment.begin * window->dilation[1];
        segment.offset =
            (size_t)((line * grid->in[1] + column) * grid->channels + patches->first_channel);
    }
    return segment;
}

static bool is_contiguous(const Patches *patches) {
    return patches->grid->window->dilation[1] == 1 && patches->channels == patches->grid->channels;
}

void patches_fill(const Patches *patches, const Real *x, int64_t begin, int64_t end, Real *to) {
    const WindowGrid *grid = patches->grid;
    const Window *window = grid->window;
    const Real *x_end =
        x + (size_t)(grid->rows * grid->in[0] * grid->in[1]) * (size_t)grid->channels;
    size_t channels = (size_t)patches->channels;
    size_t step = (size_t)(window->dilation[1] * grid->channels); // from tap to tap
    bool contiguous = is_contiguous(patches);
    int64_t first_ky = patches->first_tap / window->size[1];
    int64_t last_ky = (patches->first_tap + patches->taps - 1) / window->size[1];
    Position at = position_at(grid, begin);
    for (int64_t p = begin; p < end; p++, position_next(grid, &at)) {
        WindowTaps down = window_taps(grid, 0, at.y, window_inputs(grid, at.row, 0));
        WindowTaps across = window_taps(grid, 1, at.x, window_inputs(grid, at.row, 1));
        for (int64_t ky = first_ky; ky <= last_ky; ky++) {
            Segment segment = segment_of(patches, &at, down, across, ky);
            size_t before = (size_t)(segment.begin - segment.wanted_begin) * channels;
            size_t inside = (size_t)(segment.end - segment.begin) * channels;
            size_t after = (size_t)(segment.wanted_end - segment.end) * channels;
            for (size_t i = 0; i < before; i++)
                to[i] = 0;
            to += before;
            const Real *from = x + segment.offset;
            if (contiguous)
                copy_run(to, from, inside, x_end);
            for (size_t i = 0; !contiguous && i < inside; i += channels, from += step)
                copy_run(to + i, from, channels, x_end);
            to += inside;
            for (size_t i = 0; i < after; i++)
                to[i] = 0;
            to += after;
        }
    }
}

void patches_add(const Patches *patches, const Real *from, int64_t begin, int64_t end, Real *x) {
    const WindowGrid *grid = patches->grid;
    const Window *window = grid->window;
    size_t channels = (size_t)patches->channels, width = (size_t)window->size[1] * channels;
    size_t step = (size_t)(window->dilation[1] * grid->channels);
    bool contiguous = is_contiguous(patches);
    Position at = position_at(grid, begin);
    for (int64_t p = begin; p < end; p++, position_next(grid, &at)) {
        WindowTaps down = window_taps(grid, 0, at.y, window_inputs(grid, at.row, 0));
        WindowTaps across = window_taps(grid, 1, at.x, window_inputs(grid, at.row, 1));
        for (int64_t ky = 0; ky < window->size[0]; ky++, from += width) {
            Segment segment = segment_of(patches, &at, down, across, ky);
            const Real *part = from + (size_t)segment.begin * channels;
            size_t inside = (size_t)(segment.end - segment.begin) * channels;
            Real *to = x + segment.offset;
            if (contiguous)
                add_run(to, part, inside);
            for (size_t i = 0; !contiguous && i < inside; i += channels, to += step)
                add_run(to, part + i, channels);
        }
    }
}
