// Matrix products on OpenBLAS, and which of its kernels this processor should run.
#include "core/tensor/blas.h"
#include <cblas.h>
#include <stddef.h>

const char *blas_core_wanted(void) {
#if defined(__x86_64__)
    // These ask cpuid, and xgetbv whether the system saves the wide registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return "SKYLAKEX";
    }
    // Also AMD's: on a Zen 3 OpenBLAS's own choice for it takes a tenth longer for small products.
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return "HASWELL";
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
                       void (*body)(void *context, size_t begin, size_t end, int thread),
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
