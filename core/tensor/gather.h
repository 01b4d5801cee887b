// A sparse matrix times a dense one, as sums of rows: y[v, :] = bias + own_v · x[v, :] + Σ_e weight_e · x[from_e, :]
// over the entries e of row v. Aggregation over a graph's edges, and products with features of mostly zeros.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/parallel.h"
#include "core/base/real.h"

typedef struct Gather {
    size_t rows, width, x_rows;
    const int32_t *first; // [rows + 1] where a row's entries begin
    const int32_t *from;  // [entries] the row of x that each takes
    const int32_t *place; // [entries] where its weight stands; NULL: in the entry's own place
    const Real *weight;   // [entries]
    const Real *own;      // [rows]; NULL: a row takes nothing of its own
    const Real *bias;     // [width], or NULL
    const Real *x;        // [x_rows, width]
    Real *y;              // [rows, width], not x
} Gather;

// Every row's sum is one thread's, in the order of its entries: results do not depend on the threads.
void gather_rows(Parallel *parallel, const Gather *gather);

// One form of the sums, by the processor's vectors; gather_rows takes the first that runs here.
struct Part;
typedef struct GatherForm {
    const char *name; // "avx512", "avx2", "portable"
    bool (*runs_here)(void);
    void (*sum)(const Gather *gather, const struct Part *part, size_t begin, size_t end);
} GatherForm;
extern const GatherForm gather_forms[];
extern const size_t gather_form_count;
void gather_some(const GatherForm *form, const Gather *gather, size_t begin,
                 size_t end); // rows [begin, end)
