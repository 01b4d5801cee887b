// Every form of the sliding products that runs here, against their definition.
#include <criterion/criterion.h>
#include <string.h>
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/tensor/slides.h"
#include "tests/support/near.h"

static const double TOLERANCE = sizeof(Real) == 4 ? 1e-5 : 1e-13;
static const Real UNTOUCHED = 12345;

static Real *draw(uint64_t key, size_t count) {
    Real *values = memory_array(count, sizeof(Real));
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (Real)(rng_uniform(&rng) - 0.5);
    return values;
}

static size_t read_at(const Slide *slide, size_t line, size_t row, size_t tap) {
    return line * slide->line_step + row * slide->row_step + slide->run_at[tap / slide->run] +
           tap % slide->run;
}

static size_t y_at(const Slide *slide, size_t line, size_t row) {
    return line * slide->y_line_step + row * slide->y_step;
}

static size_t y_elements(const Slide *slide) {
    return y_at(slide, slide->lines - 1, slide->rows - 1) + slide->columns;
}

static void check_forward(const SlideKernel *kernel, const Slide *slide, const Real *x,
                          const Real *k, const Real *bias) {
    size_t taps = slide->runs * slide->run, columns = slide->columns, count = y_elements(slide);
    Real *packed = memory_array(slides_elements(kernel, taps, columns) + 1, sizeof(Real));
    Real *packed_bias = memory_array(slides_elements(kernel, 1, columns), sizeof(Real));
    slides_pack(kernel, taps, columns, 0, taps, k, columns, 1, packed);
    slides_pack(kernel, 1, columns, 0, 1, bias, 0, 1, packed_bias);
    Real *y = memory_array(count + 1, sizeof(Real));
    double *expected = memory_array(count + 1, sizeof(double));
    for (int biased = 0; biased <= 1; biased++) {
        for (size_t i = 0; i <= count; i++) {
            y[i] = UNTOUCHED;
            expected[i] = (double)UNTOUCHED;
        }
        for (size_t l = 0; l < slide->lines; l++)
            for (size_t r = 0; r < slide->rows; r++)
                for (size_t f = 0; f < columns; f++) {
                    double sum = biased ? (double)bias[f] : 0;
                    for (size_t t = 0; t < taps; t++)
                        sum += (double)x[read_at(slide, l, r, t)] * (double)k[t * columns + f];
                    expected[y_at(slide, l, r) + f] = sum;
                }
        kernel->forward(slide, x, packed, biased ? packed_bias : NULL, y, y + count);
        for (size_t i = 0; i <= count; i++)
            cr_assert(fabs((double)y[i] - expected[i]) <= TOLERANCE, "%s: y[%zu] is %g, not %g",
                      kernel->name, i, (double)y[i], expected[i]);
    }
    memory_free(packed);
    memory_free(packed_bias);
    memory_free(y);
    memory_free(expected);
}

static void check_weights(const SlideKernel *kernel, const Slide *slide, const Real *x) {
    size_t taps = slide->runs * slide->run, columns = slide->columns, step = columns + 2;
    Real *dy = draw(3, y_elements(slide)), *d_kernel = draw(4, taps * step);
    double *expected = memory_array(taps * step, sizeof(double));
    for (size_t i = 0; i < taps * step; i++)
        expected[i] = (double)d_kernel[i];
    for (size_t t = 0; t < taps; t++)
        for (size_t f = 0; f < columns; f++)
            for (size_t l = 0; l < slide->lines; l++)
                for (size_t r = 0; r < slide->rows; r++)
                    expected[t * step + f] +=
                        (double)x[read_at(slide, l, r, t)] * (double)dy[y_at(slide, l, r) + f];
    kernel->weights(slide, x, dy, dy + y_elements(slide), d_kernel, step);
    for (size_t i = 0; i < taps * step; i++)
        cr_assert(fabs((double)d_kernel[i] - expected[i]) <= TOLERANCE, "%s: dK[%zu] is %g, not %g",
                  kernel->name, i, (double)d_kernel[i], expected[i]);
    memory_free(dy);
    memory_free(d_kernel);
    memory_free(expected);
}

static void check(Slide slide) {
    size_t elements = read_at(&slide, slide.lines - 1, slide.rows - 1, slide.runs * slide.run - 1);
    Real *x = draw(1, elements + 1), *bias = draw(5, slide.columns);
    Real *k = draw(2, slide.runs * slide.run * slide.columns);
    for (size_t i = 0; i < slide_form_count; i++) {
        if (!slide_forms[i]->runs_here())
            continue;
        check_forward(&slide_forms[i]->narrow, &slide, x, k, bias);
        check_forward(&slide_forms[i]->wide, &slide, x, k, bias);
        check_weights(&slide_forms[i]->narrow, &slide, x);
        check_weights(&slide_forms[i]->wide, &slide, x);
    }
    memory_free(x);
    memory_free(k);
    memory_free(bias);
}

Test(slides, are_what_their_definition_says) {
    const size_t run_at[] = {0, 31, 47};
    for (size_t columns = 1; columns <= 40; columns += columns < 10 ? 3 : 11)
        for (size_t rows = 1; rows <= 27; rows += 2)
            for (size_t run = 1; run <= 15; run += 7)
                check((Slide){.lines = 3,
                              .line_step = 70,
                              .rows = rows,
                              .row_step = 2,
                              .runs = 3,
                              .run = run,
                              .run_at = run_at,
                              .columns = columns,
                              .y_line_step = rows * columns,
                              .y_step = columns});
}

Test(slides, leave_what_lies_between_rows_and_lines_alone) {
    const size_t run_at[] = {0, 31};
    for (size_t columns = 1; columns <= 40; columns += 3)
        for (size_t gap = 0; gap <= 5; gap += 5)
            check((Slide){.lines = 2,
                          .line_step = 50,
                          .rows = 7,
                          .row_step = 3,
                          .runs = 2,
                          .run = 4,
                          .run_at = run_at,
                          .columns = columns,
                          .y_line_step = 7 * (columns + gap) + 3,
                          .y_step = columns + gap});
}

Test(slides, of_no_runs_are_the_bias) {
    const SlideKernel *kernel = slide_kernel(2);
    Slide slide = {.lines = 1, .rows = 2, .columns = 2, .y_line_step = 4, .y_step = 2, .run = 3};
    Real y[4] = {1, 1, 1, 1}, bias[64] = {7, 8};
    kernel->forward(&slide, NULL, NULL, NULL, y, y + 4);
    assert_all_near(y, ((Real[]){0, 0, 0, 0}), 4, 0);
    kernel->forward(&slide, NULL, NULL, bias, y, y + 4);
    assert_all_near(y, ((Real[]){7, 8, 7, 8}), 4, 0);
}
