// Sums of rows, BLOCK columns at a time in registers: each entry then costs one read of a cache line or two.
#include "core/tensor/gather.h"
#include "core/base/vector.h"

enum { BLOCK = 16 };

// `columns` of row v's sum, from column `begin` on; a constant number of columns stays in registers.
static inline void sum_columns(const Gather *gather, size_t v, size_t begin, size_t columns) {
    size_t width = gather->width;
    const Real *restrict x = gather->x + begin;
    Real sum[BLOCK] = {0};
    for (size_t c = 0; gather->bias != NULL && c < columns; c++)
        sum[c] = gather->bias[begin + c];
    Real own = gather->own == NULL ? 0 : gather->own[v];
    for (size_t c = 0; gather->own != NULL && c < columns; c++)
        sum[c] += own * x[v * width + c];
    for (int32_t e = gather->first[v]; e < gather->first[v + 1]; e++) {
        const Real *restrict row = x + (size_t)gather->from[e] * width;
        Real weight = gather->weight[gather->place == NULL ? e : gather->place[e]];
        for (size_t c = 0; c < columns; c++)
            sum[c] += weight * row[c];
    }
    Real *restrict y = gather->y + v * width + begin;
    for (size_t c = 0; c < columns; c++)
        y[c] = sum[c];
}

VECTOR_LOOPS static void sum_rows(void *context, size_t begin, size_t end, int piece) {
    (void)piece;
    const Gather *gather = context;
    size_t width = gather->width, whole = width - width % BLOCK;
    for (size_t v = begin; v < end; v++) {
        for (size_t c = 0; c < whole; c += BLOCK)
            sum_columns(gather, v, c, BLOCK);
        if (whole < width)
            sum_columns(gather, v, whole, width - whole);
    }
}

void gather_rows(Parallel *parallel, const Gather *gather) {
    size_t entries = (size_t)gather->first[gather->rows];
    size_t work = gather->width * (1 + entries / (gather->rows > 0 ? gather->rows : 1));
    parallel_for(parallel, gather->rows, parallel_grain(work), sum_rows, (void *)gather);
}
