// Matrix products on OpenBLAS, and which of its kernels this processor should run.
#include "core/tensor/blas.h"
#include <cblas.h>
#include <stddef.h>
#include <string.h>
#include "core/tensor/kernels.h"

const char *blas_core_wanted(void) {
#if defined(__x86_64__)
    // These ask cpuid, and xgetbv whether the system saves the wide registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return "SKYLAKEX";
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return __builtin_cpu_is("amd") ? "ZEN" : "HASWELL";
    }
#endif
    return NULL;
}

const char *blas_core_in_use(void) {
    return openblas_get_corename();
}

void blas_set_threads(int threads) {
    openblas_set_num_threads(threads);
}

int blas_threads(void) {
    return openblas_get_num_threads();
}

void blas_gemm(int transpose_a, int transpose_b, int m, int n, int k, Real alpha, const Real *a,
               int lda, const Real *b, int ldb, Real beta, Real *c, int ldc) {
    CBLAS_TRANSPOSE op_a = transpose_a ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE op_b = transpose_b ? CblasTrans : CblasNoTrans;
#ifdef BACKPROPD_DOUBLE
    cblas_dgemm(CblasRowMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
    cblas_sgemm(CblasRowMajor, op_a, op_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
}

void blas_parallel_for(Parallel *parallel, size_t count, size_t grain,
                       void (*body)(void *context, size_t begin, size_t end, int piece),
                       void *context) {
    if (parallel_threads(parallel) == 1) {
        parallel_for(parallel, count, grain, body, context);
        return;
    }
    int threads = blas_threads();
    blas_set_threads(1);
    parallel_for(parallel, count, grain, body, context);
    blas_set_threads(threads);
}

// A piece is of so many rows or columns, whichever C has more of: the other operand is then the smaller one, which
// every piece packs anew. At least PIECE multiplications are worth a thread.
enum { TILE = 16, PIECE = 1 << 19 };

static void multiply_piece(void *context, size_t begin, size_t end, int piece) {
    (void)piece;
    BlasProduct part = *(const BlasProduct *)context;
    bool by_rows = part.m >= part.n;
    size_t limit = (size_t)(by_rows ? part.m : part.n), first = begin * TILE;
    int count = (int)((end * TILE < limit ? end * TILE : limit) - first);
    if (by_rows) {
        part.a += first * (part.transpose_a ? 1 : (size_t)part.lda);
        part.c += first * (size_t)part.ldc;
        part.m = count;
    } else {
        part.b += first * (part.transpose_b ? (size_t)part.ldb : 1);
        part.c += first;
        part.n = count;
        part.bias = part.bias == NULL ? NULL : part.bias + first;
    }
    for (int r = 0; part.bias != NULL && r < part.m; r++) {
        Real *row = part.c + (size_t)r * (size_t)part.ldc;
        if (part.add)
            kernel_add(row, part.bias, (size_t)part.n);
        else
            memcpy(row, part.bias, (size_t)part.n * sizeof(Real));
    }
    bool add = part.add || part.bias != NULL;
    blas_gemm(part.transpose_a, part.transpose_b, part.m, part.n, part.k, 1, part.a, part.lda,
              part.b, part.ldb, add ? 1 : 0, part.c, part.ldc);
}

void blas_product(Parallel *parallel, const BlasProduct *product) {
    size_t longer = (size_t)(product->m >= product->n ? product->m : product->n);
    size_t tiles = (longer + TILE - 1) / TILE;
    size_t work = (size_t)product->m * (size_t)product->n * (size_t)product->k / tiles; // of a tile
    blas_parallel_for(parallel, tiles, PIECE / (work + 1) + 1, multiply_piece, (void *)product);
}
