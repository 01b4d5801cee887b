// Sums of rows, LANES columns at a time in registers: each entry then costs one read of a cache line or two.
//
// What is left of a row's columns is read as wide, into the rows behind it, whose numbers are dropped; the last rows, behind which
// there is too little, have a copy with room. So it is always the same number of columns that are summed.
//
// Entries are summed by twos, the even ones and the odd ones, and these in the end: an addition need not wait for the one
// before it. The vectors are the compiler's: as many registers as they take on the processor at hand.
#include "core/tensor/gather.h"
#include <stdbool.h>
#include <string.h>
#include "core/base/vector.h"

enum { LANES = 16 };

typedef Real Lanes __attribute__((vector_size(LANES * sizeof(Real))));
typedef Lanes LanesInMemory __attribute__((aligned(sizeof(Real)), may_alias));

#define INLINE static inline __attribute__((always_inline))

// Some columns of all rows' sums.
typedef struct Part {
    size_t begin, columns;    // of x and y
    size_t wide;              // so many rows of x can be read LANES wide where they are
    Real last[LANES * LANES]; // the others [x_rows − wide, LANES]
} Part;

// LANES columns of x's row. A vector must not be a function's result where some processors have none so wide.
#define ROW_AT(row)                                                                                \
    (*(const LanesInMemory *)((row) < part->wide ? gather->x + (row)*gather->width + part->begin   \
                                                 : part->last + ((row)-part->wide) * LANES))

// placed: whether the gather has places; a constant.
INLINE void sum_row(const Gather *gather, const Part *part, bool placed, size_t v) {
    Lanes even = {0}, odd = {0};
    const int32_t *restrict from = gather->from, *restrict place = gather->place;
    int32_t e = gather->first[v], end = gather->first[v + 1];
    for (; e + 1 < end; e += 2) {
        size_t a = (size_t)from[e], b = (size_t)from[e + 1];
        even += gather->weight[placed ? place[e] : e] * ROW_AT(a);
        odd += gather->weight[placed ? place[e + 1] : e + 1] * ROW_AT(b);
    }
    if (e < end) {
        size_t a = (size_t)from[e];
        even += gather->weight[placed ? place[e] : e] * ROW_AT(a);
    }
    if (gather->own != NULL)
        odd += gather->own[v] * ROW_AT(v);
    even += odd;
    Real *y = gather->y + v * gather->width + part->begin;
    if (part->columns == LANES && gather->bias == NULL) {
        *(LanesInMemory *)y = even;
        return;
    }
    Real sums[LANES];
    memcpy(sums, &even, sizeof(sums));
    for (size_t c = 0; c < part->columns; c++)
        y[c] = gather->bias == NULL ? sums[c] : sums[c] + gather->bias[part->begin + c];
}

INLINE void sum_part(const Gather *gather, const Part *part, size_t begin, size_t end) {
    if (gather->place != NULL)
        for (size_t v = begin; v < end; v++)
            sum_row(gather, part, true, v);
    else
        for (size_t v = begin; v < end; v++)
            sum_row(gather, part, false, v);
}

// The rows of x that end less than LANES columns from `begin` before x does.
static void copy_last(const Gather *gather, Part *part) {
    size_t width = gather->width, elements = gather->x_rows * width, needed = part->begin + LANES;
    part->wide = needed > elements ? 0 : (elements - needed) / width + 1;
    memset(part->last, 0, sizeof(part->last));
    for (size_t row = part->wide; row < gather->x_rows; row++)
        memcpy(part->last + (row - part->wide) * LANES, gather->x + row * width + part->begin,
               part->columns * sizeof(Real));
}

VECTOR_LOOPS static void sum_rows(void *context, size_t begin, size_t end, int piece) {
    (void)piece;
    const Gather *gather = context;
    Part part = {.columns = LANES, .wide = SIZE_MAX};
    for (; part.begin + LANES <= gather->width; part.begin += LANES)
        sum_part(gather, &part, begin, end);
    part.columns = gather->width - part.begin;
    if (part.columns == 0)
        return;
    copy_last(gather, &part);
    sum_part(gather, &part, begin, end);
}

void gather_rows(Parallel *parallel, const Gather *gather) {
    size_t entries = (size_t)gather->first[gather->rows];
    size_t work = gather->width * (1 + entries / (gather->rows > 0 ? gather->rows : 1));
    parallel_for(parallel, gather->rows, parallel_grain(work), sum_rows, (void *)gather);
}
