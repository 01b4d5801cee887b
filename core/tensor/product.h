// Matrix products on kernels of our own (panels.h): C = op(A) · op(B), written, added, or begun with a bias.
//
//   for k, K_BLOCK at a time:                     a thread has its own columns of C (or rows, where C is narrow)
//     for columns of C, N_BLOCK at a time:        op(B)'s block is packed into panels that stay in the nearer caches
//       for rows of C, M_BLOCK at a time:         op(A) is read where it stands
//         panels · rows                           in registers
//
// Large weights come from memory, and a small batch has few products for each: their next block is brought near by
// prefetches that are strewn over the products with the one before.
//
// Against OpenBLAS, which packs A as well: half the work around the products with few rows that training on small
// batches has, and the tile that the processor's registers hold. Each element's sum runs over k from 0 up in blocks of
// K_BLOCK, whatever m, n and the threads: results do not depend on them.
#pragma once
#include <stdbool.h>
#include "core/base/parallel.h"
#include "core/base/real.h"

typedef struct Product {
    int m, n, k;
    const Real *a,
        *b;  // op(A) [m, k], op(B) [k, n]; op transposes what is stored where the flag says so
    Real *c; // [m, n]
    int lda, ldb, ldc; // elements from one stored row to the next
    bool transpose_a, transpose_b;
    bool add;         // C += A · B, else C = A · B
    const Real *bias; // [n], added to every row; or NULL
} Product;

// On the pool's threads; NULL: on the caller's alone. Allocates nothing.
void product_run(Parallel *parallel, const Product *product);
