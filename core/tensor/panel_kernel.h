// One form of the panels' kernel (see panels.h), included once for each with
//
//   PANEL_NAME       of the function it defines; its _bringing brings memory near as well, its _row is for a row alone
//   PANEL_TARGET     attribute of the instructions it may use
//   PANEL_BYTES      of a vector
//   PANEL_VECTORS    vectors across a panel
//   PANEL_ROWS       of a tile at most: PANEL_ROWS · PANEL_VECTORS sums must fit the registers
//
// A tile has as many rows as the others of its product, or one less, so that none is left with few.

#define PANEL_AHEAD (64 / sizeof(Real))
#define PANEL_JOIN(a, b) a##b
#define PANEL_OF(a, b) PANEL_JOIN(a, b)
#define PANEL_VECTOR PANEL_OF(PANEL_NAME, _vector)
#define PANEL_MEMORY PANEL_OF(PANEL_NAME, _memory)
#define PANEL_BRING PANEL_OF(PANEL_NAME, _bring)
#define PANEL_TILE PANEL_OF(PANEL_NAME, _tile)
#define PANEL_LOOP PANEL_OF(PANEL_NAME, _loop)
#define PANEL_BRINGING PANEL_OF(PANEL_NAME, _bringing)
#define PANEL_ROW PANEL_OF(PANEL_NAME, _row)

enum {
    PANEL_OF(PANEL_NAME, _lanes) = PANEL_BYTES / sizeof(Real),
    PANEL_OF(PANEL_NAME, _width) = PANEL_VECTORS * PANEL_BYTES / sizeof(Real)
};

typedef Real PANEL_VECTOR __attribute__((vector_size(PANEL_BYTES)));
typedef PANEL_VECTOR PANEL_MEMORY __attribute__((aligned(sizeof(Real)), may_alias));

PANEL_TARGET static inline void PANEL_BRING(PanelAhead *ahead) {
    enum { LINE = 64 };
    if (ahead->rows == 0)
        return;
    __builtin_prefetch(ahead->at);
    __builtin_prefetch(ahead->at + LINE);
    ahead->at += (size_t)2 * LINE;
    if (ahead->at >= ahead->end && --ahead->rows > 0) {
        ahead->end += ahead->stride;
        ahead->at = ahead->end - ahead->bytes;
    }
}

// `rows` is a constant wherever this is inlined, so that the sums are registers; so is an `ahead` of NULL.
PANEL_TARGET static inline __attribute__((always_inline)) void
PANEL_TILE(const size_t rows, size_t columns, size_t k, const Real *restrict a, size_t lda,
           size_t step, const Real *restrict panel, Real beta, const Real *restrict bias,
           Real *restrict c, size_t ldc, PanelAhead *restrict ahead) {
    enum { LANES = PANEL_OF(PANEL_NAME, _lanes), WIDTH = PANEL_OF(PANEL_NAME, _width) };
    PANEL_VECTOR sum[PANEL_ROWS][PANEL_VECTORS];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
        __builtin_prefetch(c + r * ldc, 1); // wanted k products later
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < PANEL_VECTORS; v++)
            sum[r][v] = (PANEL_VECTOR){0};
    for (size_t p = 0; p < k; p += PANEL_AHEAD) {
        size_t terms = k - p < PANEL_AHEAD ? k - p : PANEL_AHEAD;
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++)
            __builtin_prefetch(a + (rows + r) * lda);
        if (ahead != NULL)
            PANEL_BRING(ahead);
#pragma GCC unroll 4
        for (size_t q = 0; q < terms; q++, panel += WIDTH, a += step) {
            PANEL_VECTOR b[PANEL_VECTORS];
#pragma GCC unroll 4
            for (size_t v = 0; v < PANEL_VECTORS; v++)
                b[v] = *(const PANEL_MEMORY *)(panel + v * LANES);
#pragma GCC unroll 16
            for (size_t r = 0; r < rows; r++) {
                Real factor = a[r * lda];
#pragma GCC unroll 4
                for (size_t v = 0; v < PANEL_VECTORS; v++)
                    sum[r][v] += factor * b[v];
            }
        }
    }
    if (columns == WIDTH) {
        PANEL_VECTOR begin[PANEL_VECTORS] = {0};
#pragma GCC unroll 4
        for (size_t v = 0; v < PANEL_VECTORS && bias != NULL; v++)
            begin[v] = *(const PANEL_MEMORY *)(bias + v * LANES);
#pragma GCC unroll 16
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (size_t v = 0; v < PANEL_VECTORS; v++) {
                PANEL_MEMORY *y = (PANEL_MEMORY *)(c + r * ldc + v * LANES);
                if (beta != 0)
                    sum[r][v] += begin[v] + beta * *y;
                else
                    sum[r][v] += begin[v];
                *y = sum[r][v];
            }
        return;
    }
    Real rest[PANEL_ROWS][WIDTH];
#pragma GCC unroll 16
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (size_t v = 0; v < PANEL_VECTORS; v++)
            *(PANEL_MEMORY *)(rest[r] + v * LANES) = sum[r][v];
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < columns; j++) {
            Real begin = bias == NULL ? 0 : bias[j];
            c[r * ldc + j] = rest[r][j] + (beta == 0 ? begin : begin + beta * c[r * ldc + j]);
        }
}

PANEL_TARGET static inline __attribute__((always_inline)) void
PANEL_LOOP(size_t m, size_t n, size_t k, const Real *a, size_t lda, size_t step, const Real *packed,
           Real beta, const Real *bias, Real *c, size_t ldc, PanelAhead *ahead) {
    enum { WIDTH = PANEL_OF(PANEL_NAME, _width) };
    size_t tiles = (m + PANEL_ROWS - 1) / PANEL_ROWS;
    for (size_t column = 0; column < n; column += WIDTH, packed += k * WIDTH) {
        size_t columns = n - column < WIDTH ? n - column : WIDTH;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t rows = m / tiles + (tile < m % tiles);
            size_t row = tile * (m / tiles) + (tile < m % tiles ? tile : m % tiles);
            const Real *x = a + row * lda;
            const Real *begin = bias == NULL ? NULL : bias + column;
            Real *y = c + row * ldc + column;
#define PANEL_CASE(count)                                                                          \
    case count:                                                                                    \
        PANEL_TILE(count, columns, k, x, lda, step, packed, beta, begin, y, ldc, ahead);           \
        break;
            switch (rows) {
                PANEL_CASE(1)
                PANEL_CASE(2)
                PANEL_CASE(3)
                PANEL_CASE(4)
                PANEL_CASE(5)
                PANEL_CASE(6)
#if PANEL_ROWS > 6
                PANEL_CASE(7)
                PANEL_CASE(8)
                PANEL_CASE(9)
                PANEL_CASE(10)
                PANEL_CASE(11)
                PANEL_CASE(12)
#endif
            }
#undef PANEL_CASE
        }
    }
}

PANEL_TARGET static void PANEL_NAME(size_t m, size_t n, size_t k, const Real *a, size_t lda,
                                    size_t step, const Real *packed, Real beta, const Real *bias,
                                    Real *c, size_t ldc) {
    PANEL_LOOP(m, n, k, a, lda, step, packed, beta, bias, c, ldc, NULL);
}

PANEL_TARGET static void PANEL_BRINGING(size_t m, size_t n, size_t k, const Real *a, size_t lda,
                                        size_t step, const Real *packed, Real beta,
                                        const Real *bias, Real *c, size_t ldc, PanelAhead *ahead) {
    PANEL_LOOP(m, n, k, a, lda, step, packed, beta, bias, c, ldc, ahead);
}

PANEL_TARGET static void PANEL_ROW(size_t n, size_t k, const Real *restrict a, size_t step,
                                   const Real *restrict b, size_t ldb, Real beta,
                                   const Real *restrict bias, Real *restrict c) {
    enum { COLUMNS = 256 };
    for (size_t column = 0; column < n; column += COLUMNS) {
        size_t columns = n - column < COLUMNS ? n - column : COLUMNS;
        Real sum[COLUMNS] = {0};
        for (size_t p = 0; p < k; p++) {
            Real factor = a[p * step];
            for (size_t j = 0; j < columns; j++)
                sum[j] += factor * b[p * ldb + column + j];
        }
        for (size_t j = 0; j < columns; j++) {
            Real begin = bias == NULL ? 0 : bias[column + j];
            c[column + j] = sum[j] + (beta == 0 ? begin : begin + beta * c[column + j]);
        }
    }
}

#undef PANEL_AHEAD
#undef PANEL_JOIN
#undef PANEL_OF
#undef PANEL_VECTOR
#undef PANEL_MEMORY
#undef PANEL_BRING
#undef PANEL_TILE
#undef PANEL_LOOP
#undef PANEL_BRINGING
#undef PANEL_ROW
#undef PANEL_NAME
#undef PANEL_TARGET
#undef PANEL_BYTES
#undef PANEL_VECTORS
#undef PANEL_ROWS
