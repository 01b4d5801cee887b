// What one core can reach: the peak of its multiply-adds, and the best rate of single matrix products.
//
//   ←  {"peak":76.5}                            GFLOP/s of multiply-adds in registers alone; 0 where it is not known how
//   →  0 1 64 256 784                           a line of input: transpose_a, transpose_b, m, n, k
//   ←  {"rate":61.2}                            the fastest of C = A · B and Cᵀ = Bᵀ · Aᵀ, each by OpenBLAS and with a packed matrix
//
// Operands are warm and nothing else is done: a whole step, which also gathers, activates and updates, cannot come near.
// The best of many samples by processor time, since other processes only ever make one slower.
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "bench/environment.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tensor/panels.h"

enum { SAMPLES = 15, CHAINS = 12, DIMENSION_MAX = 1 << 22 };
static const double SAMPLE_SECONDS = 0.004;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// ---- multiply-adds: independent chains, as many as hide the latency and stay in registers ----

typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));

static volatile float sink; // so that the sums are wanted

#define MULTIPLY_ADDS(name, isa, Vector)                                                           \
    __attribute__((target(isa), noinline)) static void name(long rounds) {                         \
        Vector sums[CHAINS], factor = {0}, term = {0};                                             \
        factor += 0.999f;                                                                          \
        term += 0.001f;                                                                            \
        for (int i = 0; i < CHAINS; i++)                                                           \
            sums[i] = term + (float)i;                                                             \
        for (long round = 0; round < rounds; round++) {                                            \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sums[i] =                    \
                sums[i] * factor + term;                                                           \
        }                                                                                          \
        for (int i = 1; i < CHAINS; i++)                                                           \
            sums[0] += sums[i];                                                                    \
        sink = sums[0][0];                                                                         \
    }

#if defined(__x86_64__)
MULTIPLY_ADDS(multiply_adds_8, "avx2,fma", Vector8)
MULTIPLY_ADDS(multiply_adds_16, "avx512f", Vector16)
#endif

static double peak(void) {
    void (*run)(long rounds) = NULL;
    double lanes = 0, best = 0;
    const long rounds = 400000;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        run = multiply_adds_16;
        lanes = 16;
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        run = multiply_adds_8;
        lanes = 8;
    }
#endif
    for (int sample = 0; run != NULL && sample < 4 * SAMPLES; sample++) {
        double begin = now();
        run(rounds);
        double rate = 2 * lanes * CHAINS * (double)rounds / (now() - begin) / 1e9;
        best = rate > best ? rate : best;
    }
    return best;
}

// ---- products ----

typedef struct Product {
    int transpose_a, transpose_b, m, n, k;
    Real *a, *b, *c;
    const PanelKernel *kernel; // NULL: OpenBLAS
    Real *packed;
} Product;

static void multiply(const Product *p) {
    if (p->kernel != NULL)
        p->kernel->multiply((size_t)p->m, (size_t)p->n, (size_t)p->k, p->a, (size_t)p->k, 1,
                            p->packed, 0, NULL, p->c, (size_t)p->n);
    else
        blas_gemm(p->transpose_a, p->transpose_b, p->m, p->n, p->k, 1, p->a,
                  p->transpose_a ? p->m : p->k, p->b, p->transpose_b ? p->k : p->n, 0, p->c, p->n);
}

static double product_rate(const Product *product) {
    double operations = 2.0 * product->m * product->n * product->k, best = 0;
    int repeats = 1;
    for (int sample = 0; sample < SAMPLES;) {
        double begin = now();
        for (int i = 0; i < repeats; i++)
            multiply(product);
        double seconds = now() - begin;
        if (seconds < SAMPLE_SECONDS && repeats < 1 << 20) {
            repeats *= 2;
            continue;
        }
        double rate = operations * repeats / seconds / 1e9;
        best = rate > best ? rate : best;
        sample++;
    }
    return best;
}

static Real *filled(size_t rows, size_t columns) {
    Real *numbers = memory_array(rows * columns, sizeof(Real));
    for (size_t i = 0; numbers != NULL && i < rows * columns; i++)
        numbers[i] = (Real)0.01 * (Real)(i % 37) - (Real)0.17;
    return numbers;
}

static int product_measure(Product *product, double *ret_rate) {
    size_t m = (size_t)product->m, n = (size_t)product->n, k = (size_t)product->k;
    const PanelKernel *kernel = panel_kernel();
    product->a = filled(m, k);
    product->b = filled(k, n);
    product->c = filled(m, n);
    product->packed = filled(1, panels_elements(kernel, k, n));
    int result = ERR_NO_MEMORY;
    if (product->a != NULL && product->b != NULL && product->c != NULL && product->packed != NULL) {
        double blas = product_rate(product);
        panels_pack(kernel, false, k, n, product->b, n, 0, panels_count(kernel, n),
                    product->packed);
        product->kernel = kernel;
        double panels = product_rate(product);
        *ret_rate = panels > blas ? panels : blas;
        result = OK;
    }
    memory_free(product->a);
    memory_free(product->b);
    memory_free(product->c);
    memory_free(product->packed);
    return result;
}

static bool product_read(const char *line, Product *product) {
    return sscanf(line, "%d %d %d %d %d", &product->transpose_a, &product->transpose_b, &product->m,
                  &product->n, &product->k) == 5 &&
           product->m > 0 && product->n > 0 && product->k > 0 && product->m <= DIMENSION_MAX &&
           product->n <= DIMENSION_MAX && product->k <= DIMENSION_MAX;
}

int main(int argc, char **argv) {
    char line[128];
    (void)argc;
    environment_settle(argv);
    printf("{\"peak\":%.6g}\n", peak());
    while (fflush(stdout) == 0 && fgets(line, sizeof line, stdin) != NULL) {
        Product product = {0};
        double rate, other;
        bool known = product_read(line, &product);
        Product turned = {.transpose_a = !product.transpose_b,
                          .transpose_b = !product.transpose_a,
                          .m = product.n,
                          .n = product.m,
                          .k = product.k};
        if (!known || product_measure(&product, &rate) != OK ||
            product_measure(&turned, &other) != OK) {
            fprintf(stderr, "not a product that can be measured: %s", line);
            return EXIT_FAILURE;
        }
        printf("{\"rate\":%.6g}\n", rate > other ? rate : other);
    }
    return EXIT_SUCCESS;
}
