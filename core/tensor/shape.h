// Shapes: up to 6 axes, row-major, the last axis fastest.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHAPE_RANK_MAX = 6, SHAPE_TEXT = 136 };

typedef struct Shape {
    int rank; // 0: a scalar
    int64_t dim[SHAPE_RANK_MAX];
} Shape;

#define SHAPE(...)                                                                                 \
    ((Shape){.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                    \
             .dim = {__VA_ARGS__}})

// Product of the axes; 0 where it is beyond SHAPE_ELEMENTS_MAX or an axis is not positive.
#define SHAPE_ELEMENTS_MAX ((int64_t)1 << 40)
int64_t shape_elements(const Shape *shape);
bool shape_equal(const Shape *a, const Shape *b);
int64_t shape_last(const Shape *shape);                              // 1 for a scalar
const char *shape_text(const Shape *shape, char buffer[SHAPE_TEXT]); // "[28, 28, 1]"
