// Products of every shape that has an edge of its own, in all ways to store and add, against sums in double; and the same
// bits whatever the threads and whatever rows are beside one.
#include "core/tensor/product.h"
#include <criterion/criterion.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "tests/support/near.h"

enum { TRANSPOSE_A = 1, TRANSPOSE_B = 2, ADD = 4, BIAS = 8, WAYS = 16, GAP = 3 };

static Real *draw(size_t count, uint64_t key) {
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    Real *values = memory_array(count, sizeof(Real));
    for (size_t i = 0; i < count; i++)
        values[i] = (Real)rng_normal(&rng);
    return values;
}

// Operands have GAP elements more a row than they need.
static Product product_of(int m, int n, int k, int way, const Real *a, const Real *b,
                          const Real *bias) {
    Product product = {.m = m,
                       .n = n,
                       .k = k,
                       .a = a,
                       .b = b,
                       .ldc = n + GAP,
                       .transpose_a = (way & TRANSPOSE_A) != 0,
                       .transpose_b = (way & TRANSPOSE_B) != 0,
                       .add = (way & ADD) != 0,
                       .bias = way & BIAS ? bias : NULL};
    product.lda = (product.transpose_a ? m : k) + GAP;
    product.ldb = (product.transpose_b ? k : n) + GAP;
    return product;
}

static double expected(const Product *product, const Real *before, int i, int j) {
    double sum = (product->add ? (double)before[i * product->ldc + j] : 0) +
                 (product->bias != NULL ? (double)product->bias[j] : 0);
    for (int p = 0; p < product->k; p++)
        sum +=
            (double)product->a[product->transpose_a ? p * product->lda + i : i * product->lda + p] *
            (double)product->b[product->transpose_b ? j * product->ldb + p : p * product->ldb + j];
    return sum;
}

static void check(int m, int n, int k, int way) {
    size_t a_count = (size_t)((way & TRANSPOSE_A ? k : m) * ((way & TRANSPOSE_A ? m : k) + GAP));
    size_t b_count = (size_t)((way & TRANSPOSE_B ? n : k) * ((way & TRANSPOSE_B ? k : n) + GAP));
    size_t c_count = (size_t)(m * (n + GAP));
    AUTO_FREE Real *a = draw(a_count, 1), *b = draw(b_count, 2), *bias = draw((size_t)n, 3);
    AUTO_FREE Real *before = draw(c_count, 4), *c = draw(c_count, 4);
    Product product = product_of(m, n, k, way, a, b, bias);
    product.c = c;
    product_run(NULL, &product);
    double bound = 4 * REAL_EPSILON * (k + 10);
    for (int i = 0; i < m; i++)
        for (int j = 0; j < product.ldc; j++) {
            double want =
                j < n ? expected(&product, before, i, j) : (double)before[i * product.ldc + j];
            cr_assert(fabs((double)c[i * product.ldc + j] - want) <= bound,
                      "%d × %d × %d, way %d: [%d, %d] is %g, not %g", m, n, k, way, i, j,
                      (double)c[i * product.ldc + j], want);
        }
}

// From one row to several blocks of them, narrower than a panel and wider than a block, and the same for k; the last two with
// so much of B that it is brought near ahead.
Test(product, is_right_at_every_edge) {
    static const int sizes[][3] = {{1, 1, 1},      {2, 70, 9},    {3, 300, 300},   {4, 10, 5},
                                   {7, 33, 31},    {64, 10, 128}, {121, 257, 257}, {250, 65, 64},
                                   {130, 300, 70}, {5, 16, 600},  {40, 520, 530},  {133, 520, 512}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int way = 0; way < WAYS; way++)
            check(sizes[i][0], sizes[i][1], sizes[i][2], way);
}

Test(product, gives_the_same_bits_on_any_number_of_threads) {
    static const int sizes[][3] = {{150, 300, 320}, {700, 20, 130}, {3, 600, 520}, {30, 600, 520}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
        AUTO_FREE Real *a = draw((size_t)(m + GAP) * (size_t)(k + GAP), 1);
        AUTO_FREE Real *b = draw((size_t)(n + GAP) * (size_t)(k + GAP), 2);
        AUTO_FREE Real *bias = draw((size_t)n, 3);
        size_t count = (size_t)(m * (n + GAP));
        for (int way = 0; way < WAYS; way++) {
            AUTO_FREE Real *alone = draw(count, 4);
            Product product = product_of(m, n, k, way, a, b, bias);
            product.c = alone;
            product_run(NULL, &product);
            for (int threads = 2; threads <= 3; threads++) {
                AUTO_FREE Real *shared = draw(count, 4);
                Parallel *parallel;
                cr_assert_eq(parallel_create(threads, &parallel), OK);
                product.c = shared;
                product_run(parallel, &product);
                parallel_destroy(parallel);
                cr_assert_arr_eq(shared, alone, count * sizeof(Real));
            }
        }
    }
}

Test(product, gives_a_row_the_same_bits_whatever_rows_are_beside_it) {
    enum { M = 130, N = 90, K = 300 };
    AUTO_FREE Real *a = draw(M * (K + GAP), 1), *b = draw(K * (N + GAP), 2), *bias = draw(N, 3);
    AUTO_FREE Real *c = draw(M * (N + GAP), 4);
    Product product = product_of(M, N, K, BIAS, a, b, bias);
    product.c = c;
    product_run(NULL, &product);
    for (int rows = 1; rows < 6; rows++)
        for (int first = 0; first + rows <= M; first += 31) {
            AUTO_FREE Real *some = draw((size_t)rows * (N + GAP), 4);
            Product part = product;
            part.m = rows;
            part.a += first * product.lda;
            part.c = some;
            product_run(NULL, &part);
            for (int r = 0; r < rows; r++)
                cr_assert_arr_eq(some + r * product.ldc, c + (first + r) * product.ldc,
                                 N * sizeof(Real));
        }
}
