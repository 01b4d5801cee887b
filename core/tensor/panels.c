// Packing, and the forms of the kernel. The forms differ in vectors and tile, and so in the order in which nothing is
// added: each sum runs over k alone. With FMA it is rounded once a term, else twice.
#include "core/tensor/panels.h"
#include <stdint.h>
#include <string.h>
#include "core/base/processor.h"

// As in slides.c.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#endif

#if defined(__x86_64__)

#define PANEL_NAME multiply_avx512
#define PANEL_TARGET __attribute__((target("avx512f")))
#define PANEL_BYTES 64
#define PANEL_VECTORS 2
#define PANEL_ROWS 12
#include "core/tensor/panel_kernel.h"

#define PANEL_NAME multiply_avx2
#define PANEL_TARGET __attribute__((target("avx2,fma")))
#define PANEL_BYTES 32
#define PANEL_VECTORS 2
#define PANEL_ROWS 6
#include "core/tensor/panel_kernel.h"

#endif

#define PANEL_NAME multiply_portable
#define PANEL_TARGET
#define PANEL_BYTES 16
#define PANEL_VECTORS 2
#define PANEL_ROWS 6
#include "core/tensor/panel_kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#if defined(__x86_64__)
static const PanelKernel avx512 = {"avx512",        multiply_avx512_width,    processor_has_avx512,
                                   multiply_avx512, multiply_avx512_bringing, multiply_avx512_row};
static const PanelKernel avx2 = {"avx2",        multiply_avx2_width,    processor_has_avx2,
                                 multiply_avx2, multiply_avx2_bringing, multiply_avx2_row};
#endif
static const PanelKernel portable = {
    "portable",        multiply_portable_width,    processor_any,
    multiply_portable, multiply_portable_bringing, multiply_portable_row};

const PanelKernel *const panel_kernels[] = {
#if defined(__x86_64__)
    &avx512,
    &avx2,
#endif
    &portable,
};
const size_t panel_kernel_count = sizeof(panel_kernels) / sizeof(panel_kernels[0]);

const PanelKernel *panel_kernel(void) {
    size_t i = 0;
    while (!panel_kernels[i]->runs_here())
        i++;
    return panel_kernels[i];
}

size_t panels_count(const PanelKernel *kernel, size_t n) {
    return (n + kernel->width - 1) / kernel->width;
}

size_t panels_elements(const PanelKernel *kernel, size_t k, size_t n) {
    return panels_count(kernel, n) * kernel->width * k;
}

// Sixteen bytes, which every processor here can load, store and shuffle.
typedef Real Quad __attribute__((vector_size(16), aligned(sizeof(Real)), may_alias));
enum { QUAD = 16 / sizeof(Real), LINE = 64 / sizeof(Real), ROWS_AHEAD = 8 };

#if defined(BACKPROPD_DOUBLE)
typedef int64_t QuadMask __attribute__((vector_size(16)));
#else
typedef int32_t QuadMask __attribute__((vector_size(16)));
#endif
// GCC before 12 knows only the one, clang only the other.
#if defined(__clang__)
#define QUAD_SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define QUAD_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (QuadMask){__VA_ARGS__})
#endif

// to[p · width + j] = from[j · ld + p] for a square of QUAD by QUAD.
static inline void turn_square(const Real *from, size_t ld, Real *to, size_t width) {
#ifdef BACKPROPD_DOUBLE
    Quad x = *(const Quad *)from, y = *(const Quad *)(from + ld);
    *(Quad *)to = QUAD_SHUFFLE(x, y, 0, 2);
    *(Quad *)(to + width) = QUAD_SHUFFLE(x, y, 1, 3);
#else
    Quad w = *(const Quad *)from, x = *(const Quad *)(from + ld);
    Quad y = *(const Quad *)(from + 2 * ld), z = *(const Quad *)(from + 3 * ld);
    Quad wy = QUAD_SHUFFLE(w, y, 0, 4, 1, 5), xz = QUAD_SHUFFLE(x, z, 0, 4, 1, 5);
    *(Quad *)to = QUAD_SHUFFLE(wy, xz, 0, 4, 1, 5);
    *(Quad *)(to + width) = QUAD_SHUFFLE(wy, xz, 2, 6, 3, 7);
    wy = QUAD_SHUFFLE(w, y, 2, 6, 3, 7);
    xz = QUAD_SHUFFLE(x, z, 2, 6, 3, 7);
    *(Quad *)(to + 2 * width) = QUAD_SHUFFLE(wy, xz, 0, 4, 1, 5);
    *(Quad *)(to + 3 * width) = QUAD_SHUFFLE(wy, xz, 2, 6, 3, 7);
#endif
}

// A panel of `columns` columns from rows of B's transpose.
static void turn_panel(size_t width, size_t columns, size_t k, const Real *b, size_t ldb,
                       Real *to) {
    size_t square_columns = columns - columns % QUAD, square_k = k - k % QUAD;
    for (size_t j = 0; j < square_columns; j += QUAD)
        for (size_t p = 0; p < square_k; p += QUAD)
            turn_square(b + j * ldb + p, ldb, to + p * width + j, width);
    for (size_t j = 0; j < columns; j++)
        for (size_t p = j < square_columns ? square_k : 0; p < k; p++)
            to[p * width + j] = b[j * ldb + p];
}

// Row by row over all panels, so that what is read is one stretch; a line of the cache at a time, without a loop whose speed
// hangs on where in memory it lies.
static void copy_rows(size_t width, size_t k, const Real *b, size_t ldb, size_t begin, size_t end,
                      Real *packed) {
    for (size_t p = 0; p < k; p++)
        for (size_t panel = begin; panel < end; panel++) {
            const Real *from = b + p * ldb + panel * width;
            Real *to = packed + (panel * k + p) * width;
            __builtin_prefetch(from + ROWS_AHEAD * ldb);
            size_t j = 0;
            for (; j + LINE <= width; j += LINE)
                memcpy(to + j, from + j, LINE * sizeof(Real));
            for (; j < width; j += QUAD)
                memcpy(to + j, from + j, QUAD * sizeof(Real));
        }
}

void panels_pack(const PanelKernel *kernel, bool transposed, size_t k, size_t n, const Real *b,
                 size_t ldb, size_t begin, size_t end, Real *packed) {
    size_t width = kernel->width, whole = n / width < end ? n / width : end;
    if (!transposed)
        copy_rows(width, k, b, ldb, begin, whole, packed);
    for (size_t panel = begin; transposed && panel < whole; panel++)
        turn_panel(width, width, k, b + panel * width * ldb, ldb, packed + panel * k * width);
    if (begin == end || end <= n / width)
        return;
    size_t columns = n % width; // of the last panel, which is filled up
    Real *last = packed + (end - 1) * k * width;
    memset(last, 0, k * width * sizeof(Real));
    if (transposed)
        turn_panel(width, columns, k, b + (n - columns) * ldb, ldb, last);
    for (size_t p = 0; !transposed && p < k; p++)
        memcpy(last + p * width, b + p * ldb + n - columns, columns * sizeof(Real));
}
