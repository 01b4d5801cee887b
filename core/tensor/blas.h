// Matrix products on OpenBLAS, the one place that includes cblas. For most, product.h is faster.
//
// OpenBLAS 0.3.21 takes newer Intel processors for a Prescott (bug #4267) and is then five times
// slower. OPENBLAS_CORETYPE in the environment repairs that, but only before the library loads: so
// the program asks blas_core_wanted() at its very start and executes itself again where the answer
// is not what stands there.
#pragma once
#include <stdbool.h>
#include "core/base/parallel.h"
#include "core/base/real.h"

// The OPENBLAS_CORETYPE fit for this processor by cpuid ("SKYLAKEX", "HASWELL", …), or NULL where
// OpenBLAS's own detection is to be left alone (older and non-x86 processors).
const char *blas_core_wanted(void);
const char *blas_core_in_use(void); // what the loaded library runs on: openblas_get_corename
void blas_set_threads(int threads);
int blas_threads(void);

// C = alpha · op(A) · op(B) + beta · C, row-major; op transposes where the flag says so.
// op(A) [m, k], op(B) [k, n], C [m, n]; ld_: elements from one stored row to the next.
void blas_gemm(int transpose_a, int transpose_b, int m, int n, int k, Real alpha, const Real *a,
               int lda, const Real *b, int ldb, Real beta, Real *c, int ldc);

// parallel_for (core/base/parallel.h) with products inside: each piece's run on its own thread alone.
void blas_parallel_for(Parallel *parallel, size_t count, size_t grain,
                       void (*body)(void *context, size_t begin, size_t end, int thread),
                       void *context);
