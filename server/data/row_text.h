// One row of numbers out of the text of a lifted array, and its place for messages. For the files of server/data.
#pragma once
#include "core/base/issues.h"
#include "core/tensor/shape.h"
#include "server/json/span.h"

// One row is held in memory while it is read.
enum { ROW_NUMBERS_MAX = 1 << 22 };

// Where a row stands: pointer BEFORE/ROW AFTER, and for formats of lines the line's number.
typedef struct Place {
    const char *before;
    int64_t row;
    const char *after;
    size_t line; // 0: none
} Place;

// An issue at the row, or [count] indices inside it.
void place_issue(const Place *place, const int64_t *indices, int count, Issues *issues,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

// The shape of the row at the span, which stays where it is: [1] for a bare number. False, with an issue, where there is none:
// an empty array, more axes than a shape has, or more numbers than ROW_NUMBERS_MAX.
bool row_shape(Span span, const Place *place, Issues *issues, Shape *ret_shape);
// Reads a row of that shape; numbers [elements]. null becomes NaN. Every item that does not fit is an issue; the span is behind
// the row in any case.
void row_text_read(Span *span, const Shape *shape, const Place *place, Issues *issues,
                   float *numbers);
// A number as a float; false, with an issue, where it is beyond single precision.
bool row_float(double number, const Place *place, const int64_t *indices, int count, Issues *issues,
               float *ret_number);
