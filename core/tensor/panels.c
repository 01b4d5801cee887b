// Packing, and the forms of the kernel. The forms differ in vectors and tile, and so in the order in which nothing is
// added: each sum runs over k alone. With FMA it is rounded once a term, else twice.
#include "core/tensor/panels.h"
#include <string.h>

enum { TURN_ROWS = 32 };

static bool anywhere(void) {
    return true;
}

#if defined(__x86_64__)

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") != 0;
}

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
}

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

#if defined(__x86_64__)
static const PanelKernel avx512 = {"avx512", multiply_avx512_width, has_avx512, multiply_avx512};
static const PanelKernel avx2 = {"avx2", multiply_avx2_width, has_avx2, multiply_avx2};
#endif
static const PanelKernel portable = {"portable", multiply_portable_width, anywhere,
                                     multiply_portable};

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

// Turned in blocks of rows, so that what is written stays in the cache until it is whole.
static void pack_transposed(size_t width, size_t columns, size_t k, const Real *b, size_t ldb,
                            Real *packed) {
    for (size_t block = 0; block < k; block += TURN_ROWS) {
        size_t end = k - block < TURN_ROWS ? k : block + TURN_ROWS;
        for (size_t j = 0; j < columns; j++)
            for (size_t p = block; p < end; p++)
                packed[p * width + j] = b[j * ldb + p];
    }
}

void panels_pack(const PanelKernel *kernel, bool transposed, size_t k, size_t n, const Real *b,
                 size_t ldb, size_t begin, size_t end, Real *packed) {
    size_t width = kernel->width;
    for (size_t panel = begin; panel < end; panel++) {
        Real *to = packed + panel * k * width;
        size_t column = panel * width, columns = n - column < width ? n - column : width;
        if (columns < width)
            memset(to, 0, k * width * sizeof(Real));
        if (transposed)
            pack_transposed(width, columns, k, b + column * ldb, ldb, to);
        for (size_t p = 0; !transposed && p < k; p++)
            memcpy(to + p * width, b + p * ldb + column, columns * sizeof(Real));
    }
}
