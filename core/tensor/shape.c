// Shapes: their size, bounded and overflow-checked, and their text for people.
#include "core/tensor/shape.h"
#include <stdio.h>
#include <string.h>

int64_t shape_elements(const Shape *shape) {
    int64_t elements = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] <= 0 || __builtin_mul_overflow(elements, shape->dim[i], &elements) ||
            elements > SHAPE_ELEMENTS_MAX) {
            return 0;
        }
    }
    return elements;
}

bool shape_equal(const Shape *a, const Shape *b) {
    if (a->rank != b->rank) {
        return false;
    }
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i]) {
            return false;
        }
    }
    return true;
}

int64_t shape_last(const Shape *shape) {
    return shape->rank > 0 ? shape->dim[shape->rank - 1] : 1;
}

// An axis is at most 20 characters and a separator of 2.
_Static_assert(SHAPE_TEXT >= SHAPE_RANK_MAX * 22 + 3, "a shape's text fits its buffer");

const char *shape_text(const Shape *shape, char buffer[SHAPE_TEXT]) {
    char *at = buffer, *end = buffer + SHAPE_TEXT;
    at += snprintf(at, (size_t)(end - at), "[");
    for (int i = 0; i < shape->rank; i++) {
        at +=
            snprintf(at, (size_t)(end - at), "%s%lld", i > 0 ? ", " : "", (long long)shape->dim[i]);
    }
    snprintf(at, (size_t)(end - at), "]");
    return buffer;
}
