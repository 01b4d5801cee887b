#include "core/tensor/panels.h"
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/memory.h"
#include "core/base/rng.h"

enum { M_MAX = 27, N_MAX = 70, K = 37, LDA = K + 3, LDC = N_MAX + 5 };

static Real a[M_MAX * LDA], b[K * N_MAX], b_turned[N_MAX * K], c[M_MAX * LDC];

static void draw(Real *values, size_t count, uint64_t key) {
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (Real)rng_normal(&rng);
}

static void set_up(void) {
    draw(a, M_MAX * LDA, 1);
    draw(b, K * N_MAX, 2);
    for (size_t p = 0; p < K; p++)
        for (size_t j = 0; j < N_MAX; j++)
            b_turned[j * K + p] = b[p * N_MAX + j];
}

TestSuite(panels, .init = set_up);

static Real *pack(const PanelKernel *kernel, size_t n) {
    Real *packed = memory_array(panels_elements(kernel, K, n), sizeof(Real));
    panels_pack(kernel, false, K, n, b, N_MAX, 0, panels_count(kernel, n), packed);
    return packed;
}

// Every number of rows up to several tiles, every width up to several panels, whole and not.
Test(panels, multiply_in_every_form) {
    for (size_t form = 0; form < panel_kernel_count; form++) {
        const PanelKernel *kernel = panel_kernels[form];
        for (size_t n = 1; kernel->runs_here() && n <= N_MAX; n++) {
            AUTO_FREE Real *packed = pack(kernel, n);
            for (size_t m = 1; m <= M_MAX; m++)
                for (int with = 0; with < 4; with++) {
                    int beta = with % 2;
                    const Real *bias = with < 2 ? NULL : b;
                    for (size_t i = 0; i < M_MAX * LDC; i++)
                        c[i] = 5;
                    kernel->multiply(m, n, K, a, LDA, 1, packed, (Real)beta, bias, c, LDC);
                    for (size_t r = 0; r < M_MAX; r++)
                        for (size_t j = 0; j < LDC; j++) {
                            bool inside = r < m && j < n;
                            double sum = inside && beta == 0 ? 0 : 5;
                            sum += inside && bias != NULL ? (double)bias[j] : 0;
                            for (size_t p = 0; inside && p < K; p++)
                                sum += (double)a[r * LDA + p] * (double)b[p * N_MAX + j];
                            cr_assert(fabs((double)c[r * LDC + j] - sum) <= 100 * REAL_EPSILON,
                                      "%s, %zu × %zu, %d: [%zu, %zu] is %g, not %g", kernel->name,
                                      m, n, with, r, j, (double)c[r * LDC + j], sum);
                        }
                }
        }
    }
}

// Rows of every length, from none on, and fewer and more of them than a product of this size has time for.
Test(panels, give_the_same_bits_while_they_bring_memory_near) {
    for (size_t form = 0; form < panel_kernel_count; form++) {
        const PanelKernel *kernel = panel_kernels[form];
        if (!kernel->runs_here())
            continue;
        AUTO_FREE Real *packed = pack(kernel, N_MAX);
        memset(c, 0, sizeof(c));
        kernel->multiply(M_MAX, N_MAX, K, a, LDA, 1, packed, 0, b, c, LDC);
        for (size_t rows = 0; rows <= K; rows++) {
            Real bringing[M_MAX * LDC] = {0};
            size_t bytes = (1 + rows % N_MAX) * sizeof(Real);
            const char *at = (const char *)b;
            PanelAhead ahead = {at, at + bytes, bytes, N_MAX * sizeof(Real), rows};
            kernel->multiply_bringing(M_MAX, N_MAX, K, a, LDA, 1, packed, 0, b, bringing, LDC,
                                      &ahead);
            cr_assert_arr_eq(bringing, c, sizeof(bringing));
            cr_assert_leq(ahead.rows, rows);
        }
    }
}

Test(panels, pack_the_transpose_and_parts_alike) {
    for (size_t form = 0; form < panel_kernel_count; form++) {
        const PanelKernel *kernel = panel_kernels[form];
        size_t bytes = panels_elements(kernel, K, N_MAX) * sizeof(Real);
        size_t count = panels_count(kernel, N_MAX);
        AUTO_FREE Real *whole = pack(kernel, N_MAX);
        AUTO_FREE Real *turned = memory_array(bytes, 1);
        for (size_t panel = count; panel-- > 0;)
            panels_pack(kernel, true, K, N_MAX, b_turned, K, panel, panel + 1, turned);
        cr_expect_arr_eq(turned, whole, bytes);
    }
}

Test(panels, give_a_row_the_same_bits_whatever_rows_are_beside_it) {
    for (size_t form = 0; form < panel_kernel_count; form++) {
        const PanelKernel *kernel = panel_kernels[form];
        if (!kernel->runs_here())
            continue;
        AUTO_FREE Real *packed = pack(kernel, N_MAX);
        kernel->multiply(M_MAX, N_MAX, K, a, LDA, 1, packed, 0, NULL, c, LDC);
        for (size_t r = 0; r < M_MAX; r++) {
            Real alone[N_MAX], unpacked[N_MAX];
            kernel->multiply(1, N_MAX, K, a + r * LDA, LDA, 1, packed, 0, NULL, alone, N_MAX);
            cr_expect_arr_eq(alone, c + r * LDC, sizeof(alone));
            kernel->multiply_row(N_MAX, K, a + r * LDA, 1, b, N_MAX, 0, NULL, unpacked);
            cr_expect_arr_eq(unpacked, alone, sizeof(alone));
        }
    }
}

Test(panels, take_the_fastest_form_that_runs) {
    const PanelKernel *chosen = panel_kernel();
    cr_expect(chosen->runs_here());
    for (size_t form = 0; panel_kernels[form] != chosen; form++)
        cr_expect_not(panel_kernels[form]->runs_here());
    cr_expect(panel_kernels[panel_kernel_count - 1]->runs_here());
}
