// Products whose left rows slide over an array and overlap: a convolution without copies of what its
// windows read.
//
//   y [line, row, f]  = bias[f] + Σ_s Σ_j x[at(line, row) + run_at[s] + j] · K[s, j, f]
//   dK[s, j, f]      += Σ_line Σ_row x[at(line, row) + run_at[s] + j] · dy[line, row, f]
//   at(line, row)     = line · line_step + row · row_step
//
// A tile, some rows of y (or some j of dK) and one or two vectors of f, stays in registers over all
// that is summed. Sums run in the order that stands above, whatever the number of rows or lines.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "core/base/real.h"

typedef struct Slide {
    size_t lines, line_step;
    size_t rows, row_step;      // of a line
    size_t runs, run;           // what a row reads: so many runs of so many numbers side by side
    const size_t *run_at;       // [runs] their offsets
    size_t columns;             // f
    size_t y_line_step, y_step; // from one line, one row, of y or dy to the next
} Slide;

// One form of the kernels: how many columns its tiles have, and the products.
typedef struct SlideKernel {
    const char *name; // "avx512 x 2", …
    size_t width;
    // packed: see slides_pack; bias [columns], filled up with zeros to whole widths, or NULL: zeros.
    // Where rows of y follow each other without a gap, a vector may be written over what follows a
    // row, up to y_end: lines are written in ascending order.
    void (*forward)(const Slide *slide, const Real *x, const Real *packed, const Real *bias,
                    Real *y, const Real *y_end);
    // dy_end: of the array that dy is in. kernel_step: from one j of dK to the next.
    void (*weights)(const Slide *slide, const Real *x, const Real *dy, const Real *dy_end,
                    Real *d_kernel, size_t kernel_step);
} SlideKernel;

// The fastest for so many columns that runs on this processor; all of them, for tests.
const SlideKernel *slide_kernel(size_t columns);
typedef struct SlideForm {
    bool (*runs_here)(void);
    SlideKernel narrow, wide; // one vector across, or two
} SlideForm;
extern const SlideForm *const slide_forms[];
extern const size_t slide_form_count;

// Elements of a packed K [taps, columns]: width columns side by side, [taps, width], the last ones
// filled up with zeros.
size_t slides_elements(const SlideKernel *kernel, size_t taps, size_t columns);
// Packs taps [begin, end) of it from k [end − begin, columns], whose numbers are tap_step and
// column_step apart.
void slides_pack(const SlideKernel *kernel, size_t taps, size_t columns, size_t begin, size_t end,
                 const Real *k, size_t tap_step, size_t column_step, Real *packed);
