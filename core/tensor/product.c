// Blocks, threads and edges of a product; the arithmetic is panels.h's.
#include "core/tensor/product.h"
#include <string.h>
#include "core/tensor/panels.h"

// A panel, K_BLOCK long, fits the first cache, M_BLOCK · K_BLOCK of A the second; K_BLOCK · N_BLOCK of B come panel by panel
// from wherever they are. N_BLOCK is a multiple of every panel's width. At least CHUNK multiplications, some microseconds,
// are worth a thread.
enum { K_BLOCK = 1024 / sizeof(Real), N_BLOCK = 512, M_BLOCK = 132, ROWS = 12, CHUNK = 1 << 17 };
// Rows of A this FAR apart, each for MANY panels, fall into the same few sets of a cache: they are copied to where they do
// not. Of a transpose a tile takes a piece of each row, so that is copied unless its rows are NEAR. A_ROW is no multiple of a
// large power of 2.
enum { NEAR = 256, FAR = 1024, MANY = 64, A_ROW = K_BLOCK + 16 };
// Fewer rows than this are not worth packing B for.
enum { FEW = 4 };
// So many weights come from memory or the farthest cache, and with the few rows of a small batch the wait for them would be
// a tenth of the product. NARROW blocks of them leave room for the next in the second cache; it is a multiple of every
// panel's width.
enum { DISTANT = 1 << 18, NARROW = 128 };

static size_t lesser(size_t a, size_t b) {
    return a < b ? a : b;
}

// op(A)'s block [rows, depth], where the kernel reads it.
typedef struct Left {
    const Real *at;
    size_t row, step; // elements from a row, from a term to the next
} Left;

// memmove, since GCC makes of a short memcpy of unknown length a slow string instruction.
static Left left_block(const Product *part, size_t row, size_t rows, size_t term, size_t depth,
                       Real *copy) {
    size_t lda = (size_t)part->lda;
    const Real *a = part->a + (part->transpose_a ? term * lda + row : row * lda + term);
    if (lda < (part->transpose_a ? NEAR : FAR) || part->n <= MANY)
        return part->transpose_a ? (Left){a, 1, lda} : (Left){a, lda, 1};
    if (part->transpose_a) {
        for (size_t p = 0; p < depth; p++)
            memmove(copy + p * M_BLOCK, a + p * lda, rows * sizeof(Real));
        return (Left){copy, 1, M_BLOCK};
    }
    for (size_t r = 0; r < rows; r++)
        memmove(copy + r * A_ROW, a + r * lda, depth * sizeof(Real));
    return (Left){copy, A_ROW, 1};
}

// op(B)'s block [depth, columns].
static const Real *right_block(const Product *part, size_t term, size_t column) {
    size_t ldb = (size_t)part->ldb;
    return part->b + (part->transpose_b ? column * ldb + term : term * ldb + column);
}

static PanelAhead block_ahead(const Product *part, size_t term, size_t depth, size_t column,
                              size_t columns) {
    const char *at = (const char *)right_block(part, term, column);
    size_t bytes = (part->transpose_b ? depth : columns) * sizeof(Real);
    return (PanelAhead){.at = at,
                        .end = at + bytes,
                        .bytes = bytes,
                        .stride = (size_t)part->ldb * sizeof(Real),
                        .rows = part->transpose_b ? columns : depth};
}

// Of few rows: B is read where it stands.
static void multiply_few(const PanelKernel *kernel, const Product *part, size_t deep) {
    size_t m = (size_t)part->m, k = (size_t)part->k;
    for (size_t term = 0; term < k; term += deep)
        for (size_t row = 0; row < m; row++) {
            size_t lda = (size_t)part->lda;
            const Real *a = part->a + (part->transpose_a ? term * lda + row : row * lda + term);
            kernel->multiply_row((size_t)part->n, lesser(deep, k - term), a,
                                 part->transpose_a ? lda : 1, right_block(part, term, 0),
                                 (size_t)part->ldb, part->add || term > 0 ? 1 : 0,
                                 term > 0 ? NULL : part->bias, part->c + row * (size_t)part->ldc);
        }
}

static void multiply_part(const PanelKernel *kernel, const Product *part) {
    _Alignas(64) Real packed[K_BLOCK * N_BLOCK], copy[M_BLOCK * A_ROW];
    size_t m = (size_t)part->m, n = (size_t)part->n, k = (size_t)part->k;
    size_t ldb = (size_t)part->ldb, ldc = (size_t)part->ldc;
    size_t blocks = (m + M_BLOCK - 1) / M_BLOCK, tiles = (m + ROWS - 1) / ROWS;
    size_t slices = (k + K_BLOCK - 1) / K_BLOCK, deep = (k + slices - 1) / slices; // of terms
    size_t block = (tiles + blocks - 1) / blocks * ROWS; // of rows, none with few
    if (m < FEW && !part->transpose_b) {
        multiply_few(kernel, part, deep);
        return;
    }
    bool distant = !part->transpose_a && k * n >= DISTANT;
    size_t wide = distant && blocks == 1 ? NARROW : N_BLOCK;
    for (size_t term = 0; term < k; term += deep) {
        size_t depth = lesser(deep, k - term), held = m; // the row whose block of A is at hand
        Left a = {0};
        for (size_t column = 0; column < n; column += wide) {
            size_t columns = lesser(wide, n - column);
            bool last = column + columns == n;
            size_t next_term = last ? term + depth : term, next_column = last ? 0 : column + wide;
            PanelAhead ahead = {0};
            if (distant && next_term < k)
                ahead = block_ahead(part, next_term, lesser(deep, k - next_term), next_column,
                                    lesser(wide, n - next_column));
            panels_pack(kernel, part->transpose_b, depth, columns, right_block(part, term, column),
                        ldb, 0, panels_count(kernel, columns), packed);
            for (size_t row = 0; row < m; row += block) {
                size_t rows = lesser(block, m - row);
                if (row != held)
                    a = left_block(part, row, rows, term, depth, copy);
                held = row;
                const Real *bias = part->bias == NULL || term > 0 ? NULL : part->bias + column;
                Real beta = part->add || term > 0 ? 1 : 0;
                Real *c = part->c + row * ldc + column;
                if (distant && row + rows == m)
                    kernel->multiply_bringing(rows, columns, depth, a.at, a.row, a.step, packed,
                                              beta, bias, c, ldc, &ahead);
                else
                    kernel->multiply(rows, columns, depth, a.at, a.row, a.step, packed, beta, bias,
                                     c, ldc);
            }
        }
    }
}

typedef struct Shared {
    const PanelKernel *kernel;
    const Product *product;
    bool by_rows;
    size_t unit; // rows or columns of a share
} Shared;

static void multiply_chunk(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const Shared *shared = context;
    Product part = *shared->product;
    size_t limit = (size_t)(shared->by_rows ? part.m : part.n), first = begin * shared->unit;
    int count = (int)(lesser(end * shared->unit, limit) - first);
    if (shared->by_rows) {
        part.a += first * (part.transpose_a ? 1 : (size_t)part.lda);
        part.c += first * (size_t)part.ldc;
        part.m = count;
    } else {
        part.b += first * (part.transpose_b ? (size_t)part.ldb : 1);
        part.c += first;
        part.n = count;
        part.bias = part.bias == NULL ? NULL : part.bias + first;
    }
    multiply_part(shared->kernel, &part);
}

void product_run(Parallel *parallel, const Product *product) {
    const PanelKernel *kernel = panel_kernel();
    size_t m = (size_t)product->m, n = (size_t)product->n, k = (size_t)product->k;
    size_t threads = (size_t)parallel_threads(parallel);
    // By columns each thread reads all of A, by rows it packs all of B: the smaller of the two. By columns each wants some
    // whole panels.
    bool by_rows = n < 2 * threads * kernel->width || m > n;
    Shared shared = {.kernel = kernel,
                     .product = product,
                     .by_rows = by_rows,
                     .unit = by_rows ? ROWS : kernel->width};
    size_t units = ((by_rows ? m : n) + shared.unit - 1) / shared.unit;
    size_t work = units == 0 ? 0 : m * n * k / units; // of a unit
    size_t grain = CHUNK / (work + 1) + 1, share = parallel_share(parallel, units);
    // A chunk of rows packs all of B, one of columns reads all of A.
    parallel_for(parallel, units, grain > share ? grain : share, multiply_chunk, &shared);
}
