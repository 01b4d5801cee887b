// A window is a table of its steps; it is read as one, or as the plain array that it is.
#include "server/data/windows.h"
#include <math.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/columns.h"
#include "server/data/row_text.h"

static ValueKind first_kind(Span span) {
    span_enter(&span);
    return span_next(&span) ? span_kind(&span) : VALUE_MISSING;
}

// numbers [shape], zeroed
static int read_window(Span *span, const Columns *columns, const Shape *shape, const Place *place,
                       Issues *issues, float *numbers) {
    int64_t steps = shape->dim[0];
    if (span_kind(span) != VALUE_ARRAY) {
        place_issue(place, NULL, 0, issues, "must be an array of %lld steps, not %s",
                    (long long)steps, value_kind_name(span_kind(span)));
        span_skip(span);
        return OK;
    }
    if (span_items(*span) != steps) {
        place_issue(place, NULL, 0, issues, "must have %lld steps, not %lld", (long long)steps,
                    (long long)span_items(*span));
        span_skip(span);
        return OK;
    }
    ValueKind kind = first_kind(*span);
    bool bare = shape->dim[1] == 1 && kind != VALUE_ARRAY && kind != VALUE_OBJECT;
    if (bare || columns == NULL) {
        row_text_read(span, bare ? &SHAPE(steps) : shape, place, issues, numbers);
        return OK;
    }
    char pointer[64];
    snprintf(pointer, sizeof pointer, "%s/%lld", place->before, (long long)place->row);
    int result = rows_read_table(columns, *span, pointer, issues, numbers);
    span_skip(span);
    return result;
}

// numbers [shape]: what the transform cannot take.
static void check_window(const Forecast *forecast, const Shape *shape, const Place *place,
                         Issues *issues, const float *numbers) {
    int64_t steps = shape->dim[0], columns = shape->dim[1];
    const char *name = transform_name(forecast->transform);
    bool logs = transform_takes_logs(forecast->transform);
    for (int64_t i = 0; logs && i < steps * columns; i++) {
        if (numbers[i] <= 0) {
            int64_t at[] = {i / columns, i % columns};
            place_issue(place, at, 2, issues, "must be above 0 for the transform \"%s\", not %g",
                        name, (double)numbers[i]);
            return;
        }
    }
    for (int64_t k = 0; transform_takes_differences(forecast->transform) && k < forecast->targets;
         k++) {
        if (isnan(forecast_base(forecast, numbers, steps, forecast->target[k]))) {
            place_issue(place, NULL, 0, issues,
                        "must have a number in column %d, which the forecast begins from (\"%s\")",
                        (int)forecast->target[k], name);
        }
    }
}

int windows_read(const Forecast *forecast, const Columns *columns, const Shape *shape,
                 const char *text, size_t length, const char *pointer, Issues *issues,
                 float **ret_inputs, int64_t *ret_windows) {
    Span span = {.at = text, .end = text + length};
    int64_t width = shape_elements(shape), windows = span_items(span);
    if (columns != NULL && columns->width != shape->dim[1]) {
        return ERR_DAMAGED;
    }
    int result = rows_check_count(windows, width, pointer, issues);
    if (result != OK) {
        return result;
    }
    AUTO_FREE float *inputs = memory_array((size_t)(windows * width), sizeof *inputs);
    if (inputs == NULL) {
        return ERR_NO_MEMORY;
    }
    Place place = {.before = pointer, .after = ""};
    for (span_enter(&span); result == OK && span_next(&span); place.row++) {
        float *numbers = inputs + place.row * width;
        size_t issues_before = issues->count + issues->omitted;
        result = read_window(&span, columns, shape, &place, issues, numbers);
        if (result == OK && issues->count + issues->omitted == issues_before) {
            check_window(forecast, shape, &place, issues, numbers);
        }
    }
    if (result == OK && issues_any(issues)) {
        result = issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    if (result == OK) {
        *ret_inputs = TAKE(inputs);
        *ret_windows = windows;
    }
    return result;
}
