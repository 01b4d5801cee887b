// Products with a matrix that is packed once and used many times, with few rows each: a recurrent step's.
//
//   C [m, n] = beta · C + bias + A [m, k] · B [k, n]      bias [n], added to each row; NULL: none
//
// BLAS packs B anew in every call, which for few rows costs as much as a third of the product. Here B is cut into
// panels of `width` columns, each stored in the order in which it is read, [k, width], the last one filled up with
// zeros; a tile of C, some rows of one panel's columns, stays in registers over all of k:
//
//   B:  │ width │ width │ … │   →   packed: k · width numbers │ k · width numbers │ …
//
// The sums run over k from 0 up, whatever m is: a row's result does not depend on the rows beside it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "core/base/real.h"

// Rows of memory that are wanted soon, `bytes` each: a product brings them near on its way, a line now and then, while
// memory has nothing else to do.
typedef struct PanelAhead {
    const char *at, *end; // where it is in the row under way, and where that ends
    size_t bytes, stride; // of a row, from a row to the next
    size_t rows;          // left, that under way included
} PanelAhead;

// One form of the kernel: how wide its panels are, and the product.
typedef struct PanelKernel {
    const char *name; // "avx512", "avx2", "portable"
    size_t width;     // columns of a panel
    bool (*runs_here)(void);
    // A[r, p] stands at a[r · lda + p · step]: step 1, or lda 1 where A is the transpose of what is stored.
    void (*multiply)(size_t m, size_t n, size_t k, const Real *a, size_t lda, size_t step,
                     const Real *packed, Real beta, const Real *bias, Real *c, size_t ldc);
    // The same, and brings near what is `ahead`.
    void (*multiply_bringing)(size_t m, size_t n, size_t k, const Real *a, size_t lda, size_t step,
                              const Real *packed, Real beta, const Real *bias, Real *c, size_t ldc,
                              PanelAhead *ahead);
    // One row, with B [k, n] where it stands, rows ldb apart: for so few rows that packing does not pay. The same bits.
    void (*multiply_row)(size_t n, size_t k, const Real *a, size_t step, const Real *b, size_t ldb,
                         Real beta, const Real *bias, Real *c);
} PanelKernel;

// Fastest first; the last runs everywhere.
extern const PanelKernel *const panel_kernels[];
extern const size_t panel_kernel_count;
const PanelKernel *panel_kernel(void); // the fastest that runs on this processor

size_t panels_count(const PanelKernel *kernel, size_t n); // ⌈n / width⌉
// Elements of a packed [k, n].
size_t panels_elements(const PanelKernel *kernel, size_t k, size_t n);
// Packs panels [begin, end) of panels_count. B [k, n] has rows ldb apart; `transposed`: it is given as [n, k].
void panels_pack(const PanelKernel *kernel, bool transposed, size_t k, size_t n, const Real *b,
                 size_t ldb, size_t begin, size_t end, Real *packed);
