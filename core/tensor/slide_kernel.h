// One form of the sliding products' kernels (see slides.h), included once for each with
//
//   SLIDE_NAME       of the functions that it defines: NAME_forward, NAME_weights
//   SLIDE_TARGET     attribute of the instructions that they may use
//   SLIDE_BYTES      of a vector
//   SLIDE_VECTORS    vectors across a tile
//   SLIDE_ROWS       of a tile at most: 12 or 6; SLIDE_ROWS · SLIDE_VECTORS sums must fit the registers
//
// Tiles of one line have as many rows as each other, or one less, so that none is left with few.

#define SLIDE_JOIN(a, b) a##b
#define SLIDE_OF(a, b) SLIDE_JOIN(a, b)
#define SLIDE_VECTOR SLIDE_OF(SLIDE_NAME, _vector)
#define SLIDE_MEMORY SLIDE_OF(SLIDE_NAME, _memory)
#define SLIDE_LANES (SLIDE_BYTES / sizeof(Real))
#define SLIDE_WIDTH (SLIDE_VECTORS * SLIDE_LANES)
#define SLIDE_INLINE SLIDE_TARGET static inline __attribute__((always_inline))

typedef Real SLIDE_VECTOR __attribute__((vector_size(SLIDE_BYTES)));
typedef SLIDE_VECTOR SLIDE_MEMORY __attribute__((aligned(sizeof(Real)), may_alias));

enum { SLIDE_OF(SLIDE_NAME, _width) = SLIDE_WIDTH };

// Columns [0, count) of a row, the rest 0; count below the width.
SLIDE_INLINE void SLIDE_OF(SLIDE_NAME, _load_part)(SLIDE_VECTOR to[SLIDE_VECTORS], const Real *from,
                                                   size_t count) {
    Real part[SLIDE_WIDTH] = {0};
    for (size_t i = 0; i < count; i++)
        part[i] = from[i];
#pragma GCC unroll 2
    for (size_t v = 0; v < SLIDE_VECTORS; v++)
        to[v] = *(const SLIDE_MEMORY *)(part + v * SLIDE_LANES);
}

// `rows` is a constant wherever this is inlined, so that the sums are registers.
SLIDE_INLINE void SLIDE_OF(SLIDE_NAME, _tile)(const size_t rows, const Slide *slide, size_t columns,
                                              const Real *restrict x, const Real *restrict packed,
                                              const Real *restrict bias, Real *restrict y,
                                              const Real *y_end) {
    SLIDE_VECTOR sum[SLIDE_ROWS][SLIDE_VECTORS];
#pragma GCC unroll 2
    for (size_t v = 0; v < SLIDE_VECTORS; v++) {
        SLIDE_VECTOR first = {0};
        if (bias != NULL)
            first = *(const SLIDE_MEMORY *)(bias + v * SLIDE_LANES);
#pragma GCC unroll 12
        for (size_t r = 0; r < rows; r++)
            sum[r][v] = first;
    }
    size_t step = slide->row_step, run = slide->run;
    for (size_t s = 0; s < slide->runs; s++) {
        const Real *from = x + slide->run_at[s];
#pragma GCC unroll 4
        for (size_t j = 0; j < run; j++, from++, packed += SLIDE_WIDTH) {
            SLIDE_VECTOR k[SLIDE_VECTORS];
#pragma GCC unroll 2
            for (size_t v = 0; v < SLIDE_VECTORS; v++)
                k[v] = *(const SLIDE_MEMORY *)(packed + v * SLIDE_LANES);
#pragma GCC unroll 12
            for (size_t r = 0; r < rows; r++) {
                Real factor = from[r * step];
#pragma GCC unroll 2
                for (size_t v = 0; v < SLIDE_VECTORS; v++)
                    sum[r][v] += factor * k[v];
            }
        }
    }
    // A row's vector may reach over the next row, which is written after it.
    bool whole = columns == SLIDE_WIDTH ||
                 (slide->y_step == columns && slide->y_line_step == slide->rows * columns);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++, y += slide->y_step) {
        if (whole && y + SLIDE_WIDTH <= y_end) {
#pragma GCC unroll 2
            for (size_t v = 0; v < SLIDE_VECTORS; v++)
                *(SLIDE_MEMORY *)(y + v * SLIDE_LANES) = sum[r][v];
        } else {
            Real part[SLIDE_WIDTH];
#pragma GCC unroll 2
            for (size_t v = 0; v < SLIDE_VECTORS; v++)
                *(SLIDE_MEMORY *)(part + v * SLIDE_LANES) = sum[r][v];
            for (size_t i = 0; i < columns; i++)
                y[i] = part[i];
        }
    }
}

#if SLIDE_ROWS == 12
#define SLIDE_CASES                                                                                \
    SLIDE_CASE(1)                                                                                  \
    SLIDE_CASE(2)                                                                                  \
    SLIDE_CASE(3)                                                                                  \
    SLIDE_CASE(4)                                                                                  \
    SLIDE_CASE(5)                                                                                  \
    SLIDE_CASE(6)                                                                                  \
    SLIDE_CASE(7)                                                                                  \
    SLIDE_CASE(8) SLIDE_CASE(9) SLIDE_CASE(10) SLIDE_CASE(11) SLIDE_CASE(12)
#else
#define SLIDE_CASES                                                                                \
    SLIDE_CASE(1) SLIDE_CASE(2) SLIDE_CASE(3) SLIDE_CASE(4) SLIDE_CASE(5) SLIDE_CASE(6)
#endif

SLIDE_TARGET static void SLIDE_OF(SLIDE_NAME, _forward)(const Slide *slide, const Real *x,
                                                        const Real *packed, const Real *bias,
                                                        Real *y, const Real *y_end) {
    size_t tiles = (slide->rows + SLIDE_ROWS - 1) / SLIDE_ROWS;
    size_t taps = slide->runs * slide->run;
    for (size_t column = 0; column < slide->columns; column += SLIDE_WIDTH) {
        size_t left = slide->columns - column, columns = left < SLIDE_WIDTH ? left : SLIDE_WIDTH;
        for (size_t line = 0; line < slide->lines; line++) {
            const Real *from = x + line * slide->line_step;
            Real *to = y + line * slide->y_line_step + column;
            for (size_t tile = 0; tile < tiles; tile++) {
                size_t rows = slide->rows / tiles + (tile < slide->rows % tiles);
                switch (rows) {
#define SLIDE_CASE(count)                                                                          \
    case count:                                                                                    \
        SLIDE_OF(SLIDE_NAME, _tile)(count, slide, columns, from, packed, bias, to, y_end);         \
        break;
                    SLIDE_CASES
#undef SLIDE_CASE
                }
                from += rows * slide->row_step;
                to += rows * slide->y_step;
            }
        }
        packed += taps * SLIDE_WIDTH;
        bias = bias == NULL ? NULL : bias + SLIDE_WIDTH;
    }
}

// Adds to `taps` numbers of a run, `columns` each.
SLIDE_INLINE void SLIDE_OF(SLIDE_NAME, _weights_tile)(const size_t taps, const Slide *slide,
                                                      size_t columns, const Real *restrict x,
                                                      const Real *restrict dy, const Real *dy_end,
                                                      Real *restrict d_kernel, size_t kernel_step) {
    SLIDE_VECTOR sum[SLIDE_ROWS][SLIDE_VECTORS];
#pragma GCC unroll 12
    for (size_t t = 0; t < taps; t++)
#pragma GCC unroll 2
        for (size_t v = 0; v < SLIDE_VECTORS; v++)
            sum[t][v] = (SLIDE_VECTOR){0};
    for (size_t line = 0; line < slide->lines; line++) {
        const Real *from = x + line * slide->line_step;
        const Real *given = dy + line * slide->y_line_step;
        for (size_t r = 0; r < slide->rows; r++, from += slide->row_step, given += slide->y_step) {
            SLIDE_VECTOR g[SLIDE_VECTORS];
            if (given + SLIDE_WIDTH <= dy_end) {
#pragma GCC unroll 2
                for (size_t v = 0; v < SLIDE_VECTORS; v++)
                    g[v] = *(const SLIDE_MEMORY *)(given + v * SLIDE_LANES);
            } else {
                SLIDE_OF(SLIDE_NAME, _load_part)(g, given, columns);
            }
#pragma GCC unroll 12
            for (size_t t = 0; t < taps; t++)
#pragma GCC unroll 2
                for (size_t v = 0; v < SLIDE_VECTORS; v++)
                    sum[t][v] += from[t] * g[v];
        }
    }
#pragma GCC unroll 12
    for (size_t t = 0; t < taps; t++, d_kernel += kernel_step) {
        Real part[SLIDE_WIDTH];
#pragma GCC unroll 2
        for (size_t v = 0; v < SLIDE_VECTORS; v++)
            *(SLIDE_MEMORY *)(part + v * SLIDE_LANES) = sum[t][v];
        for (size_t i = 0; i < columns; i++)
            d_kernel[i] += part[i];
    }
}

SLIDE_TARGET static void SLIDE_OF(SLIDE_NAME, _weights)(const Slide *slide, const Real *x,
                                                        const Real *dy, const Real *dy_end,
                                                        Real *d_kernel, size_t kernel_step) {
    size_t tiles = (slide->run + SLIDE_ROWS - 1) / SLIDE_ROWS;
    for (size_t column = 0; column < slide->columns; column += SLIDE_WIDTH) {
        size_t left = slide->columns - column, columns = left < SLIDE_WIDTH ? left : SLIDE_WIDTH;
        Real *to = d_kernel + column;
        for (size_t s = 0; s < slide->runs; s++) {
            const Real *from = x + slide->run_at[s];
            for (size_t tile = 0; tile < tiles; tile++) {
                size_t taps = slide->run / tiles + (tile < slide->run % tiles);
                switch (taps) {
#define SLIDE_CASE(count)                                                                          \
    case count:                                                                                    \
        SLIDE_OF(SLIDE_NAME, _weights_tile)                                                        \
        (count, slide, columns, from, dy + column, dy_end, to, kernel_step);                       \
        break;
                    SLIDE_CASES
#undef SLIDE_CASE
                }
                from += taps;
                to += taps * kernel_step;
            }
        }
    }
}

#undef SLIDE_CASES
#undef SLIDE_JOIN
#undef SLIDE_OF
#undef SLIDE_VECTOR
#undef SLIDE_MEMORY
#undef SLIDE_LANES
#undef SLIDE_WIDTH
#undef SLIDE_INLINE
#undef SLIDE_NAME
#undef SLIDE_TARGET
#undef SLIDE_BYTES
#undef SLIDE_VECTORS
#undef SLIDE_ROWS
