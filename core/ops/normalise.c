// Sums and maps over rows of channels. Four rows are added at a time, in a fixed order.
#include "core/ops/normalise.h"
#include "core/base/vector.h"

enum { ROW = 64, PART = 1 << 12 }; // elements of a row of vectors; of what is worth a part

size_t norm_width(size_t channels) {
    return channels >= ROW ? channels : (ROW + channels - 1) / channels * channels;
}

void norm_spread(Real *values, size_t channels, size_t width) {
    for (size_t i = channels; i < width; i++)
        values[i] = values[i - channels];
}

void norm_fold(double *sums, size_t channels, size_t width) {
    for (size_t i = channels; i < width; i += channels)
        for (size_t c = 0; c < channels; c++)
            sums[c] += sums[i + c];
}

size_t norm_parts(size_t rows, size_t elements) {
    size_t parts = elements / PART;
    parts = parts < rows ? parts : rows;
    parts = parts < NORM_PARTS_MAX ? parts : NORM_PARTS_MAX;
    return parts > 1 ? parts : 1;
}

static inline void add_moments(const Real *restrict x, size_t count, const Real *restrict origin,
                               double *restrict sum, double *restrict squares) {
    for (size_t i = 0; i < count; i++) {
        double d = (double)x[i] - (double)origin[i];
        sum[i] += d;
        squares[i] += d * d;
    }
}

VECTOR_LOOPS void norm_moments(const Real *restrict x, size_t count, const Real *restrict origin,
                               size_t width, double *restrict sum, double *restrict squares) {
    size_t done = 0;
    for (; done + 4 * width <= count; done += 4 * width) {
        const Real *restrict a = x + done, *restrict b = a + width, *restrict c = b + width,
                             *restrict d = c + width;
        for (size_t i = 0; i < width; i++) {
            double o = (double)origin[i];
            double p = (double)a[i] - o, q = (double)b[i] - o, r = (double)c[i] - o,
                   s = (double)d[i] - o;
            sum[i] += (p + q) + (r + s);
            squares[i] += (p * p + q * q) + (r * r + s * s);
        }
    }
    for (; done + width <= count; done += width)
        add_moments(x + done, width, origin, sum, squares);
    add_moments(x + done, count - done, origin, sum, squares);
}

static inline void add_products(const Real *restrict dy, const Real *restrict x, size_t count,
                                const Real *restrict mean, double *restrict sum,
                                double *restrict products) {
    for (size_t i = 0; i < count; i++) {
        sum[i] += (double)dy[i];
        products[i] += (double)dy[i] * (double)(x[i] - mean[i]);
    }
}

VECTOR_LOOPS void norm_products(const Real *restrict dy, const Real *restrict x, size_t count,
                                const Real *restrict mean, size_t width, double *restrict sum,
                                double *restrict products) {
    size_t done = 0;
    for (; done + 2 * width <= count; done += 2 * width) {
        const Real *restrict ga = dy + done, *restrict gb = ga + width;
        const Real *restrict a = x + done, *restrict b = a + width;
        for (size_t i = 0; i < width; i++) {
            sum[i] += (double)ga[i] + (double)gb[i];
            products[i] +=
                (double)ga[i] * (double)(a[i] - mean[i]) + (double)gb[i] * (double)(b[i] - mean[i]);
        }
    }
    for (; done + width <= count; done += width)
        add_products(dy + done, x + done, width, mean, sum, products);
    add_products(dy + done, x + done, count - done, mean, sum, products);
}

// In place or not at all: the pragma says that no iteration touches another's numbers.

VECTOR_LOOPS void norm_apply(const Real *x, size_t count, const Real *mean, const Real *scale,
                             const Real *shift, size_t width, Real *y) {
    for (size_t done = 0; done < count; done += width) {
        size_t row = count - done < width ? count - done : width;
#pragma GCC ivdep
        for (size_t i = 0; i < row; i++)
            y[done + i] = (x[done + i] - mean[i]) * scale[i] + shift[i];
    }
}

VECTOR_LOOPS void norm_back(const Real *dy, const Real *x, size_t count, const Real *mean,
                            const Real *scale, const Real *slope, const Real *shift, size_t width,
                            Real *dx) {
    for (size_t done = 0; done < count; done += width) {
        size_t row = count - done < width ? count - done : width;
#pragma GCC ivdep
        for (size_t i = 0; i < row; i++)
            dx[done + i] = dy[done + i] * scale[i] - (x[done + i] - mean[i]) * slope[i] - shift[i];
    }
}
