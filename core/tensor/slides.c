// The forms of the sliding products, and packing. They differ in vectors and tiles, and so in nothing
// that is summed; with FMA a term is rounded once, else twice.
#include "core/tensor/slides.h"
#include <string.h>
#include "core/base/processor.h"

// Clang takes minutes and half a gigabyte to unroll what UBSan adds to these loops. GCC does not: under it they are checked.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("undefined"))), apply_to = function)
#endif

#if defined(__x86_64__)

#define SLIDE_NAME avx512_narrow
#define SLIDE_TARGET __attribute__((target("avx512f")))
#define SLIDE_BYTES 64
#define SLIDE_VECTORS 1
#define SLIDE_ROWS 12
#include "core/tensor/slide_kernel.h"

#define SLIDE_NAME avx512_wide
#define SLIDE_TARGET __attribute__((target("avx512f")))
#define SLIDE_BYTES 64
#define SLIDE_VECTORS 2
#define SLIDE_ROWS 12
#include "core/tensor/slide_kernel.h"

#define SLIDE_NAME avx2_narrow
#define SLIDE_TARGET __attribute__((target("avx2,fma")))
#define SLIDE_BYTES 32
#define SLIDE_VECTORS 1
#define SLIDE_ROWS 12
#include "core/tensor/slide_kernel.h"

#define SLIDE_NAME avx2_wide
#define SLIDE_TARGET __attribute__((target("avx2,fma")))
#define SLIDE_BYTES 32
#define SLIDE_VECTORS 2
#define SLIDE_ROWS 6
#include "core/tensor/slide_kernel.h"

#endif

#define SLIDE_NAME portable_narrow
#define SLIDE_TARGET
#define SLIDE_BYTES 16
#define SLIDE_VECTORS 1
#define SLIDE_ROWS 12
#include "core/tensor/slide_kernel.h"

#define SLIDE_NAME portable_wide
#define SLIDE_TARGET
#define SLIDE_BYTES 16
#define SLIDE_VECTORS 2
#define SLIDE_ROWS 6
#include "core/tensor/slide_kernel.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#define FORM(name, runs_here)                                                                      \
    static const SlideForm name = {                                                                \
        runs_here,                                                                                 \
        {#name " narrow", name##_narrow_width, name##_narrow_forward, name##_narrow_weights},      \
        {#name " wide", name##_wide_width, name##_wide_forward, name##_wide_weights},              \
    };
#if defined(__x86_64__)
FORM(avx512, processor_has_avx512)
FORM(avx2, processor_has_avx2)
#endif
FORM(portable, processor_any)
#undef FORM

const SlideForm *const slide_forms[] = {
#if defined(__x86_64__)
    &avx512,
    &avx2,
#endif
    &portable,
};
const size_t slide_form_count = sizeof(slide_forms) / sizeof(slide_forms[0]);

const SlideKernel *slide_kernel(size_t columns) {
    size_t i = 0;
    while (!slide_forms[i]->runs_here())
        i++;
    const SlideForm *form = slide_forms[i];
    return columns <= form->narrow.width ? &form->narrow : &form->wide;
}

size_t slides_elements(const SlideKernel *kernel, size_t taps, size_t columns) {
    return (columns + kernel->width - 1) / kernel->width * kernel->width * taps;
}

void slides_pack(const SlideKernel *kernel, size_t taps, size_t columns, size_t begin, size_t end,
                 const Real *k, size_t tap_step, size_t column_step, Real *packed) {
    size_t width = kernel->width;
    for (size_t column = 0; column < columns; column += width, packed += taps * width) {
        size_t count = columns - column < width ? columns - column : width;
        const Real *from = k + column * column_step;
        for (size_t t = begin; t < end; t++, from += tap_step) {
            Real *to = packed + t * width;
            for (size_t i = 0; i < count; i++)
                to[i] = from[i * column_step];
            for (size_t i = count; i < width; i++)
                to[i] = 0;
        }
    }
}
