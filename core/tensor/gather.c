// Sums of rows, COLUMNS columns at a time in registers: each entry then costs one read of a cache line or two.
//
// What is left of a row's columns is read as wide, into the rows behind it, whose numbers are dropped; the last rows, behind which
// there is too little, have a copy with room. So it is always the same number of columns that are summed.
//
// Entries are summed by twos, the even ones and the odd ones, and these in the end: an addition need not wait for the one
// before it.
#include "core/tensor/gather.h"
#include <string.h>
#include "core/base/processor.h"

enum { COLUMNS = 16 };

// Some columns of all rows' sums.
typedef struct Part {
    size_t begin, columns;        // of x and y
    size_t wide;                  // so many rows of x can be read COLUMNS wide where they are
    Real last[COLUMNS * COLUMNS]; // the others [x_rows − wide, COLUMNS]
} Part;

// COLUMNS columns of x's row.
static inline __attribute__((always_inline)) const Real *row_at(const Gather *gather,
                                                                const Part *part, size_t row) {
    return row < part->wide ? gather->x + row * gather->width + part->begin
                            : part->last + (row - part->wide) * COLUMNS;
}

#if defined(__x86_64__)

#define GATHER_NAME sum_avx512
#define GATHER_TARGET __attribute__((target("avx512f")))
#define GATHER_BYTES 64
#include "core/tensor/gather_kernel.h"

#define GATHER_NAME sum_avx2
#define GATHER_TARGET __attribute__((target("avx2,fma")))
#define GATHER_BYTES 32
#include "core/tensor/gather_kernel.h"

#endif

#define GATHER_NAME sum_portable
#define GATHER_TARGET
#define GATHER_BYTES 16
#include "core/tensor/gather_kernel.h"

const GatherForm gather_forms[] = {
#if defined(__x86_64__)
    {"avx512", processor_has_avx512, sum_avx512},
    {"avx2", processor_has_avx2, sum_avx2},
#endif
    {"portable", processor_any, sum_portable},
};
const size_t gather_form_count = sizeof(gather_forms) / sizeof(gather_forms[0]);

// The rows of x that end less than COLUMNS columns from `begin` before x does.
static void copy_last(const Gather *gather, Part *part) {
    size_t width = gather->width, elements = gather->x_rows * width, needed = part->begin + COLUMNS;
    part->wide = needed > elements ? 0 : (elements - needed) / width + 1;
    memset(part->last, 0, sizeof(part->last));
    for (size_t row = part->wide; row < gather->x_rows; row++)
        memcpy(part->last + (row - part->wide) * COLUMNS, gather->x + row * width + part->begin,
               part->columns * sizeof(Real));
}

void gather_some(const GatherForm *form, const Gather *gather, size_t begin, size_t end) {
    Part part = {.columns = COLUMNS, .wide = SIZE_MAX};
    for (; part.begin + COLUMNS <= gather->width; part.begin += COLUMNS)
        form->sum(gather, &part, begin, end);
    part.columns = gather->width - part.begin;
    if (part.columns == 0)
        return;
    copy_last(gather, &part);
    form->sum(gather, &part, begin, end);
}

static void sum_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const GatherForm *form = gather_forms;
    while (!form->runs_here())
        form++;
    gather_some(form, context, begin, end);
}

void gather_rows(Parallel *parallel, const Gather *gather) {
    size_t entries = (size_t)gather->first[gather->rows];
    size_t work = gather->width * (1 + entries / (gather->rows > 0 ? gather->rows : 1));
    parallel_for(parallel, gather->rows, parallel_grain(work), sum_rows, (void *)gather);
}
