// The hot loops that are not matrix products: plain functions on arrays.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "core/base/parallel.h"
#include "core/base/real.h"

void kernel_fill(Real *y, size_t n, Real value);
void kernel_add(Real *y, const Real *x, size_t n); // y += x
void kernel_scale(Real *y, size_t n, Real factor);
// Sums are accumulated in double over fixed blocks, so that they do not lose small terms and repeat
// exactly.
double kernel_sum_squares(const Real *x, size_t n);
// Shared among the threads; the same bits for any number of them.
double kernel_sum_squares_parallel(Parallel *parallel, const Real *x, size_t n);
// Σ (x − from) and Σ (x − from)² in one pass, to the precision of a Real. A variance made of them wants `from` no further from
// the mean than some of the values are.
void kernel_moments(const Real *x, size_t n, Real from, double *ret_sum, double *ret_squares);
double kernel_dot(const Real *x, const Real *y, size_t n);
bool kernel_finite(const Real *x, size_t n); // no NaN and no infinity

void kernel_add_rows(Real *y, const Real *row, size_t rows, size_t width);  // y[r, :] += row
void kernel_sum_rows(const Real *x, Real *sums, size_t rows, size_t width); // sums[c] = Σ_r x[r, c]
// The same for columns [0, width) of rows that begin `stride` elements apart.
void kernel_sum_columns(const Real *x, size_t stride, Real *sums, size_t rows, size_t width);
// The same bits, its columns split among the threads.
void kernel_sum_columns_parallel(Parallel *parallel, const Real *x, size_t stride, Real *sums,
                                 size_t rows, size_t width);
// Sums over rows, the rows split among the threads where they are short; the same bits for any number of threads.
void kernel_sum_rows_parallel(Parallel *parallel, const Real *x, Real *sums, size_t rows,
                              size_t width);
