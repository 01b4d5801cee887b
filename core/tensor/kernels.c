// Loops over arrays, written so that the compiler turns them into vector code without reordering
// any sum on its own: every order of additions stands here, so results repeat exactly.
#include "core/tensor/kernels.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "core/base/lanes.h"
#include "core/base/vector.h"

// A sum runs in LANES interleaved partial sums in double, added pairwise at the end; sums over rows
// hold COLUMNS columns at a time.
enum { LANES = 16, COLUMNS = 64, FINITE_BLOCK = 4096 };
// A sum that is shared among threads runs in parts of so many elements at least.
enum { PART = 1 << 14 };
// Moments, which are for looking at, are added in Real over so many values.
//
// Lanes begin with numbers where there are enough: GCC fills them with zeros by a slow string instruction.
enum { MOMENTS_BLOCK = 512 };

VECTOR_LOOPS void kernel_fill(Real *y, size_t n, Real value) {
    for (size_t i = 0; i < n; i++) {
        y[i] = value;
    }
}

VECTOR_LOOPS void kernel_add(Real *restrict y, const Real *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

VECTOR_LOOPS void kernel_scale(Real *y, size_t n, Real factor) {
    for (size_t i = 0; i < n; i++) {
        y[i] *= factor;
    }
}

static double add_lanes(const double lane[LANES]) {
    double half[LANES / 2];
    for (size_t j = 0; j < LANES / 2; j++)
        half[j] = lane[j] + lane[j + LANES / 2];
    return ((half[0] + half[4]) + (half[2] + half[6])) +
           ((half[1] + half[5]) + (half[3] + half[7]));
}

__attribute__((always_inline)) static inline double dot(const Real *x, const Real *y, size_t n) {
    double lane[LANES], sum = 0;
    size_t whole = n - n % LANES;
    if (whole == 0) {
        for (size_t i = 0; i < n; i++)
            sum += (double)x[i] * (double)y[i];
        return sum;
    }
    for (size_t j = 0; j < LANES; j++)
        lane[j] = (double)x[j] * (double)y[j];
    for (size_t i = LANES; i < whole; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            lane[j] += (double)x[i + j] * (double)y[i + j];
        }
    }
    for (size_t i = whole; i < n; i++) {
        lane[i - whole] += (double)x[i] * (double)y[i];
    }
    return add_lanes(lane);
}

VECTOR_LOOPS double kernel_dot(const Real *x, const Real *y, size_t n) {
    return dot(x, y, n);
}

// Inline, so that each number is turned into a double once, not twice.
VECTOR_LOOPS double kernel_sum_squares(const Real *x, size_t n) {
    return dot(x, x, n);
}

static inline void add_moments(const Real *x, size_t n, Real from, double *sum, double *squares) {
    for (size_t i = 0; i < n; i++) {
        double distance = (double)x[i] - (double)from;
        *sum += distance;
        *squares += distance * distance;
    }
}

VECTOR_LOOPS void kernel_moments(const Real *x, size_t n, Real from, double *ret_sum,
                                 double *ret_squares) {
    double sum = 0, squares = 0;
    size_t whole = n - n % REAL_LANES;
    for (size_t begin = 0; begin < whole; begin += MOMENTS_BLOCK) {
        size_t end = whole - begin < MOMENTS_BLOCK ? whole : begin + MOMENTS_BLOCK;
        Real block_sum[REAL_LANES], block_squares[REAL_LANES];
        for (size_t j = 0; j < REAL_LANES; j++) {
            block_sum[j] = x[begin + j] - from;
            block_squares[j] = block_sum[j] * block_sum[j];
        }
        for (size_t i = begin + REAL_LANES; i < end; i += REAL_LANES) {
            for (size_t j = 0; j < REAL_LANES; j++) {
                Real distance = x[i + j] - from;
                block_sum[j] += distance;
                block_squares[j] += distance * distance;
            }
        }
        sum += (double)lanes_sum(block_sum);
        squares += (double)lanes_sum(block_squares);
    }
    add_moments(x + whole, n - whole, from, &sum, &squares);
    if (!isfinite(squares)) { // of numbers that a Real can hold, but not their squares
        sum = squares = 0;
        add_moments(x, n, from, &sum, &squares);
    }
    *ret_sum = sum;
    *ret_squares = squares;
}

typedef struct PartSquares {
    const Real *x;
    size_t n, part; // elements in all, of a part
    double squares[PARALLEL_PARTS];
} PartSquares;

static void part_squares(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    PartSquares *of = context;
    for (size_t i = begin; i < end; i++) {
        size_t at = i * of->part, left = of->n - at;
        of->squares[i] = kernel_sum_squares(of->x + at, left < of->part ? left : of->part);
    }
}

double kernel_sum_squares_parallel(Parallel *parallel, const Real *x, size_t n) {
    PartSquares of = {.x = x, .n = n, .part = parallel_part(n, PART)};
    size_t parts = (n + of.part - 1) / of.part;
    parallel_for(parallel, parts, 1, part_squares, &of);
    double squares = 0;
    for (size_t i = 0; i < parts; i++)
        squares += of.squares[i];
    return squares;
}

#ifdef BACKPROPD_DOUBLE
typedef uint64_t RealBits;
#define EXPONENT_BITS 0x7ff0000000000000u
#else
typedef uint32_t RealBits;
#define EXPONENT_BITS 0x7f800000u
#endif

VECTOR_LOOPS bool kernel_finite(const Real *x, size_t n) {
    // NaN and infinity are the numbers whose exponent is all ones. Looked at as integers, whose
    // order of evaluation is free; block by block, so that a bad number near the start is found
    // early.
    for (size_t begin = 0; begin < n; begin += FINITE_BLOCK) {
        size_t end = n - begin < FINITE_BLOCK ? n : begin + FINITE_BLOCK;
        RealBits bad = 0;
        for (size_t i = begin; i < end; i++) {
            RealBits bits;
            memcpy(&bits, &x[i], sizeof(bits));
            bad |= (bits & EXPONENT_BITS) == EXPONENT_BITS;
        }
        if (bad) {
            return false;
        }
    }
    return true;
}

VECTOR_LOOPS void kernel_add_rows(Real *restrict y, const Real *restrict row, size_t rows,
                                  size_t width) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < width; c++) {
            y[r * width + c] += row[c];
        }
    }
}

void kernel_sum_rows(const Real *x, Real *sums, size_t rows, size_t width) {
    kernel_sum_columns(x, width, sums, rows, width);
}

VECTOR_LOOPS void kernel_sum_columns(const Real *restrict x, size_t stride, Real *restrict sums,
                                     size_t rows, size_t width) {
    double block[COLUMNS];
    if (rows == 0) {
        memset(sums, 0, width * sizeof(*sums));
        return;
    }
    for (size_t begin = 0; begin < width; begin += COLUMNS) {
        size_t columns = width - begin < COLUMNS ? width - begin : COLUMNS;
        for (size_t c = 0; c < columns; c++)
            block[c] = (double)x[begin + c];
        for (size_t r = 1; r < rows; r++) {
            const Real *row = x + r * stride + begin;
            for (size_t c = 0; c < columns; c++) {
                block[c] += (double)row[c];
            }
        }
        for (size_t c = 0; c < columns; c++) {
            sums[begin + c] = (Real)block[c];
        }
    }
}

typedef struct ColumnSums {
    const Real *x;
    Real *sums;
    size_t stride, rows;
} ColumnSums;

static void sum_some_columns(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const ColumnSums *of = context;
    kernel_sum_columns(of->x + begin, of->stride, of->sums + begin, of->rows, end - begin);
}

void kernel_sum_columns_parallel(Parallel *parallel, const Real *x, size_t stride, Real *sums,
                                 size_t rows, size_t width) {
    ColumnSums of = {x, sums, stride, rows};
    parallel_for(parallel, width, parallel_grain(4 * rows), sum_some_columns, &of);
}

typedef struct RowSums {
    const Real *x;
    size_t rows, width, part; // rows in all, of a part
    double sums[PARALLEL_PARTS][COLUMNS];
} RowSums;

// As many rows at a time as fill the columns that are held.
VECTOR_LOOPS static void sum_some_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    RowSums *of = context;
    size_t width = of->width, span = COLUMNS / width * width;
    for (size_t i = begin; i < end; i++) {
        size_t first = i * of->part, left = of->rows - first;
        const Real *x = of->x + first * width;
        size_t n = (left < of->part ? left : of->part) * width, whole = n - n % span;
        double lane[COLUMNS] = {0};
        for (size_t at = 0; at < whole; at += span)
            for (size_t j = 0; j < span; j++)
                lane[j] += (double)x[at + j];
        for (size_t j = 0; j < n - whole; j++)
            lane[j] += (double)x[whole + j];
        for (size_t j = width; j < span; j++)
            lane[j % width] += lane[j];
        memcpy(of->sums[i], lane, width * sizeof(double));
    }
}

void kernel_sum_rows_parallel(Parallel *parallel, const Real *x, Real *sums, size_t rows,
                              size_t width) {
    if (2 * width > COLUMNS) {
        kernel_sum_columns_parallel(parallel, x, width, sums, rows, width);
        return;
    }
    RowSums of; // not all of `sums` is wanted
    of.x = x;
    of.rows = rows;
    of.width = width;
    of.part = parallel_part(rows, PART / width);
    size_t parts = (rows + of.part - 1) / of.part;
    parallel_for(parallel, parts, 1, sum_some_rows, &of);
    for (size_t c = 0; c < width; c++) {
        double sum = 0;
        for (size_t i = 0; i < parts; i++)
            sum += of.sums[i][c];
        sums[c] = (Real)sum;
    }
}
