// Rows are read where they stand: no tree, no copy, one number after the other into the caller's
// floats.
#include "server/data/row_text.h"
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include "core/base/error.h"

void place_issue(const Place *place, const int64_t *indices, int count, Issues *issues,
                 const char *format, ...) {
    if (issues->count >= ISSUES_MAX) {
        issues->omitted++; // as issues_add_at would, without making the texts
        return;
    }
    Text pointer, detail;
    text_init(&pointer);
    text_init(&detail);
    text_add_format(&pointer, "%s/%lld%s", place->before, (long long)place->row, place->after);
    for (int i = 0; i < count; i++) {
        text_add_format(&pointer, "/%lld", (long long)indices[i]);
    }
    if (place->line > 0) {
        text_add_format(&detail, "line %zu: ", place->line);
    }
    va_list list;
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    issues->failed |= pointer.failed || detail.failed;
    issues_add_at(issues, text_string(&pointer), "%s", text_string(&detail));
    text_finish(&pointer);
    text_finish(&detail);
}

bool row_shape(Span span, const Place *place, Issues *issues, Shape *ret_shape) {
    Shape shape = {0};
    int64_t indices[SHAPE_RANK_MAX] = {0};
    while (span_kind(&span) == VALUE_ARRAY) {
        if (shape.rank == SHAPE_RANK_MAX) {
            place_issue(place, NULL, 0, issues, "must have at most %d axes", SHAPE_RANK_MAX);
            return false;
        }
        int64_t count = span_items(span);
        if (count == 0) {
            place_issue(place, indices, shape.rank, issues, "must not be an empty array");
            return false;
        }
        shape.dim[shape.rank++] = count;
        span_enter(&span);
        span_next(&span);
    }
    if (shape.rank == 0) {
        shape = SHAPE(1);
    }
    int64_t numbers = shape_elements(&shape);
    if (numbers == 0 || numbers > ROW_NUMBERS_MAX) {
        place_issue(place, NULL, 0, issues, "must have at most %d numbers", ROW_NUMBERS_MAX);
        return false;
    }
    *ret_shape = shape;
    return true;
}

typedef struct Reading {
    Span *span;
    const Shape *shape;
    const Place *place;
    Issues *issues;
    float *next;
    int64_t indices[SHAPE_RANK_MAX];
} Reading;

bool row_float(double number, const Place *place, const int64_t *indices, int count, Issues *issues,
               float *ret_number) {
    if (fabs(number) > (double)FLT_MAX) {
        place_issue(place, indices, count, issues, "%g is beyond the range of single precision",
                    number);
        return false;
    }
    *ret_number = (float)number;
    return true;
}

static void read_number(Reading *reading, int level) {
    float *out = reading->next++;
    *out = 0;
    ValueKind kind = span_kind(reading->span);
    double number;
    if (kind == VALUE_NUMBER) {
        int result = span_number(reading->span, &number);
        if (result == OK) {
            row_float(number, reading->place, reading->indices, level, reading->issues, out);
        } else {
            reading->issues->failed |= result == ERR_NO_MEMORY;
        }
    } else {
        *out = NAN;
        span_skip(reading->span);
        if (kind != VALUE_NULL) {
            place_issue(reading->place, reading->indices, level, reading->issues,
                        "must be a number or null, not %s", value_kind_name(kind));
        }
    }
}

static void read_level(Reading *reading, int level) {
    const Shape *shape = reading->shape;
    if (level == shape->rank) {
        read_number(reading, level);
        return;
    }
    int64_t dim = shape->dim[level];
    ValueKind kind = span_kind(reading->span);
    if (kind != VALUE_ARRAY) {
        if (level == 0 && shape->rank == 1 && dim == 1) {
            read_number(reading, 0); // rows of one number may go without brackets
            return;
        }
        place_issue(reading->place, reading->indices, level, reading->issues,
                    "must be an array of %lld items, not %s", (long long)dim,
                    value_kind_name(kind));
        span_skip(reading->span);
        int64_t skipped = 1;
        for (int axis = level; axis < shape->rank; axis++) {
            skipped *= shape->dim[axis];
        }
        reading->next += skipped;
        return;
    }
    float *end = reading->next;
    int64_t stride = 1;
    for (int axis = level + 1; axis < shape->rank; axis++) {
        stride *= shape->dim[axis];
    }
    end += stride * dim;
    int64_t count = 0;
    for (span_enter(reading->span); span_next(reading->span); count++) {
        if (level + 1 == shape->rank) { // nearly all are read here
            int64_t plain = span_floats(reading->span, dim - count, reading->next);
            reading->next += plain;
            count += plain;
        }
        reading->indices[level] = count;
        if (count < dim) {
            read_level(reading, level + 1);
        } else {
            span_skip(reading->span);
        }
    }
    reading->next = end;
    if (count != dim) {
        place_issue(reading->place, reading->indices, level, reading->issues,
                    "must have %lld items, not %lld", (long long)dim, (long long)count);
    }
}

void row_text_read(Span *span, const Shape *shape, const Place *place, Issues *issues,
                   float *numbers) {
    Reading reading = {
        .span = span, .shape = shape, .place = place, .issues = issues, .next = numbers};
    read_level(&reading, 0);
}
