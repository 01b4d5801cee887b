// Rows of users. A category that the training data did not have is an error that names the known
// ones, not a silent "missing": null is how one says that a value is unknown.
#include "server/data/rows.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/train/batches.h"
#include "server/data/columns.h"
#include "server/data/graph_rows.h"
#include "server/data/row_text.h"
#include "server/data/text_rows.h"

enum {
    ROWS_NUMBERS_MAX = 1 << 28, // of one request: a row of short texts can be many one-hot numbers
    ROWS_KNOWN_SHOWN = 10,
};

// ---- reading ----

typedef struct TableReading {
    const Columns *columns;
    const char *pointer;
    int64_t row;
    Span *span;
    Issues *issues;
    Text text;  // a category or key, decoded
    bool *seen; // [columns], of an object
} TableReading;

// An issue at a cell, by index in an array or by name in an object.
__attribute__((format(printf, 3, 4))) static void
cell_issue(TableReading *reading, const char *cell, const char *format, ...) {
    Text pointer, detail;
    text_init(&pointer);
    text_init(&detail);
    text_add_format(&pointer, "%s/%lld", reading->pointer, (long long)reading->row);
    if (cell != NULL) {
        text_add_char(&pointer, '/');
        for (; *cell != '\0'; cell++) {
            if (*cell == '~' || *cell == '/') {
                text_add(&pointer, *cell == '~' ? "~0" : "~1");
            } else {
                text_add_char(&pointer, *cell);
            }
        }
    }
    va_list list;
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    reading->issues->failed |= pointer.failed || detail.failed;
    issues_add_at(reading->issues, text_string(&pointer), "%s", text_string(&detail));
    text_finish(&pointer);
    text_finish(&detail);
}

static void unknown_category(TableReading *reading, const Column *column, const char *cell) {
    Text known;
    text_init(&known);
    for (size_t i = 0; i < column->values.count && i < ROWS_KNOWN_SHOWN; i++) {
        text_add_format(&known, "%s\"%s\"", i > 0 ? ", " : "", column->values.items[i]);
    }
    if (column->values.count > ROWS_KNOWN_SHOWN) {
        text_add_format(&known, ", … (%zu in all)", column->values.count);
    }
    cell_issue(reading, cell,
               "\"%s\" is not a known value of the column \"%s\": must be one of %s, or null",
               text_string(&reading->text), column->name, text_string(&known));
    text_finish(&known);
}

static void read_category(TableReading *reading, const Column *column, const char *cell,
                          float *numbers) {
    ValueKind kind = span_kind(reading->span);
    const char *start = reading->span->at;
    if (kind == VALUE_STRING) {
        span_string(reading->span, &reading->text);
    } else {
        span_skip(reading->span);
        text_clear(&reading->text);
        text_add_bytes(&reading->text, start, (size_t)(reading->span->at - start));
    }
    size_t place = column->values.count; // missing
    if (kind == VALUE_STRING || kind == VALUE_NUMBER) {
        // A number is looked up as it is written: "3" may be a category beside "3a".
        int32_t index =
            names_find(&column->values, text_string(&reading->text), reading->text.length);
        if (index >= 0) {
            place = (size_t)index;
        } else if (reading->text.length > 0) {
            unknown_category(reading, column, cell);
        }
    } else if (kind != VALUE_NULL) {
        cell_issue(reading, cell, "must be a string or null, not %s", value_kind_name(kind));
    }
    numbers[column->offset + (int64_t)place] = 1;
}

static void read_cell(TableReading *reading, size_t index, const char *cell, float *numbers) {
    const Column *column = &reading->columns->items[index];
    if (column->category) {
        read_category(reading, column, cell, numbers);
        return;
    }
    ValueKind kind = span_kind(reading->span);
    float *number = &numbers[column->offset];
    *number = NAN;
    if (kind == VALUE_NUMBER) {
        double value;
        int result = span_number(reading->span, &value);
        if (result != OK) {
            reading->issues->failed |= result == ERR_NO_MEMORY;
        } else if (!isfinite((double)(float)value)) {
            cell_issue(reading, cell, "%g is beyond the range of single precision", value);
        } else {
            *number = (float)value;
        }
        return;
    }
    span_skip(reading->span);
    if (kind != VALUE_NULL) {
        cell_issue(reading, cell, "must be a number or null, not %s", value_kind_name(kind));
    }
}

static void read_array(TableReading *reading, float *numbers) {
    const Columns *columns = reading->columns;
    size_t count = 0;
    for (span_enter(reading->span); span_next(reading->span); count++) {
        if (count < columns->count) {
            char cell[24];
            snprintf(cell, sizeof cell, "%zu", count);
            read_cell(reading, count, cell, numbers);
        } else {
            span_skip(reading->span);
        }
    }
    if (count != columns->count) {
        cell_issue(reading, NULL, "must have %zu items, one for each column, not %zu",
                   columns->count, count);
    }
}

static void read_object(TableReading *reading, float *numbers) {
    const Columns *columns = reading->columns;
    memset(reading->seen, 0, columns->count * sizeof *reading->seen);
    span_enter(reading->span);
    while (span_next(reading->span)) {
        span_key(reading->span, &reading->text);
        const char *key = text_string(&reading->text);
        int32_t index = names_find(&columns->names, key, reading->text.length);
        if (index >= 0) {
            reading->seen[index] = true;
            read_cell(reading, (size_t)index, columns->items[index].name, numbers);
            continue;
        }
        const char *nearest =
            nearest_name(key, (const char *const *)columns->names.items, columns->names.count);
        if (nearest != NULL) {
            cell_issue(reading, key, "there is no column \"%s\"; did you mean \"%s\"?", key,
                       nearest);
        } else {
            cell_issue(reading, key, "there is no column \"%s\"", key);
        }
        span_skip(reading->span);
    }
    for (size_t i = 0; i < columns->count; i++) {
        if (!reading->seen[i]) {
            cell_issue(reading, columns->items[i].name,
                       "is required; null says that the value is missing");
        }
    }
}

int rows_read_table(const Columns *columns, Span span, const char *pointer, Issues *issues,
                    float *numbers) {
    TableReading reading = {
        .columns = columns, .pointer = pointer, .span = &span, .issues = issues};
    reading.seen = memory_array(columns->count, sizeof *reading.seen);
    if (reading.seen == NULL) {
        return ERR_NO_MEMORY;
    }
    text_init(&reading.text);
    for (span_enter(&span); span_next(&span); reading.row++) {
        float *row = numbers + reading.row * columns->width;
        ValueKind kind = span_kind(&span);
        if (kind == VALUE_ARRAY) {
            read_array(&reading, row);
        } else if (kind == VALUE_OBJECT) {
            read_object(&reading, row);
        } else {
            cell_issue(&reading, NULL, "must be an array or an object of the %zu columns, not %s",
                       columns->count, value_kind_name(kind));
            span_skip(&span);
        }
    }
    int result = reading.text.failed ? ERR_NO_MEMORY : OK;
    text_finish(&reading.text);
    memory_free(reading.seen);
    return result;
}

int rows_check_count(int64_t rows, int64_t width, const char *pointer, Issues *issues) {
    if (rows == 0) {
        issues_add_at(issues, pointer, "must be an array of at least one row");
        return ERR_INVALID;
    }
    if (width == 0 || rows > ROWS_NUMBERS_MAX / width) {
        issues_add_at(issues, pointer, "has too many rows for one request: at most %lld",
                      (long long)(width > 0 ? ROWS_NUMBERS_MAX / width : 0));
        return ERR_TOO_LARGE;
    }
    return OK;
}

int rows_read(const Columns *columns, const Shape *shape, const char *text, size_t length,
              const char *pointer, Issues *issues, float **ret_inputs, int64_t *ret_rows) {
    Span span = {.at = text, .end = text + length};
    int64_t width = shape_elements(shape);
    if (columns != NULL && columns->width != width) {
        return ERR_DAMAGED;
    }
    int64_t rows = span_items(span);
    int result = rows_check_count(rows, width, pointer, issues);
    if (result != OK) {
        return result;
    }
    AUTO_FREE float *inputs = memory_array((size_t)(rows * width), sizeof *inputs);
    if (inputs == NULL) {
        return ERR_NO_MEMORY;
    }
    if (columns != NULL) {
        result = rows_read_table(columns, span, pointer, issues, inputs);
        if (result != OK) {
            return result;
        }
    } else {
        Place place = {.before = pointer, .after = ""};
        for (span_enter(&span); span_next(&span); place.row++) {
            row_text_read(&span, shape, &place, issues, inputs + place.row * width);
        }
    }
    if (issues_any(issues)) {
        return issues->failed ? ERR_NO_MEMORY : ERR_INVALID;
    }
    *ret_inputs = TAKE(inputs);
    *ret_rows = rows;
    return OK;
}

// ---- writing ----

static void write_cell_number(JsonOut *out, float number) {
    if (isnan(number)) {
        json_null(out, NULL);
    } else {
        json_float(out, NULL, number);
    }
}

static void write_nested(JsonOut *out, const char *key, const Shape *shape, int axis,
                         const float **numbers) {
    json_begin_array(out, key);
    for (int64_t i = 0; i < shape->dim[axis]; i++) {
        if (axis + 1 < shape->rank && axis + 1 < SHAPE_RANK_MAX) {
            write_nested(out, NULL, shape, axis + 1, numbers);
        } else {
            write_cell_number(out, *(*numbers)++);
        }
    }
    json_end_array(out);
}

static void write_columns(JsonOut *out, const char *key, const Columns *columns,
                          const float *numbers) {
    json_begin_array(out, key);
    for (size_t i = 0; i < columns->count; i++) {
        const Column *column = &columns->items[i];
        if (!column->category) {
            write_cell_number(out, numbers[column->offset]);
            continue;
        }
        const char *value = NULL;
        for (size_t place = 0; place < column->values.count; place++) {
            if (numbers[column->offset + (int64_t)place] > 0) {
                value = column->values.items[place];
            }
        }
        json_string(out, NULL, value);
    }
    json_end_array(out);
}

// values [outputs] is for its use.
void rows_write_target(const Dataset *dataset, int64_t row, double *values, JsonOut *out) {
    if (dataset->classes != NULL) {
        json_string(out, "target", dataset_class_name(dataset, dataset->classes[row]));
        return;
    }
    int64_t width = dataset->task.outputs;
    row_target(dataset, (int32_t)row, values);
    if (width > 1) {
        json_begin_array(out, "target");
    }
    for (int64_t i = 0; i < width; i++) {
        const char *key = width == 1 ? "target" : NULL;
        if (isnan(values[i])) {
            json_null(out, key);
        } else {
            json_float(out, key, (float)values[i]);
        }
    }
    if (width > 1) {
        json_end_array(out);
    }
}

static void write_token_rows(const Dataset *dataset, const Vocabulary *vocabulary, int64_t offset,
                             int64_t limit, double *values, JsonOut *out) {
    Text text;
    text_init(&text);
    for (int64_t row = offset; row < dataset->rows && row - offset < limit; row++) {
        json_begin_object(out, NULL);
        json_integer(out, "row", row);
        text_row_write(vocabulary, dataset, row, values, &text, out);
        json_end_object(out);
    }
    text_finish(&text);
}

static void write_graph_rows(const Dataset *dataset, int64_t offset, int64_t limit, double *values,
                             JsonOut *out) {
    for (int64_t row = offset; row < dataset->rows && row - offset < limit; row++) {
        json_begin_object(out, NULL);
        json_integer(out, "row", row);
        graph_row_write(dataset, row, values, out);
        json_end_object(out);
    }
}

static int write_number_rows(const Dataset *dataset, int64_t offset, int64_t limit, double *values,
                             JsonOut *out) {
    Columns *columns = NULL;
    int result = columns_load(dataset->archive, &columns);
    if (result == ERR_NO_MEMORY) {
        return result;
    }
    if (result != OK) {
        columns = NULL; // the plain numbers can still be shown
    }
    const Shape *shape = &dataset->task.input;
    bool table = columns != NULL && shape->rank == 1 && columns->width == shape->dim[0];
    for (int64_t row = offset; row < dataset->rows && row - offset < limit; row++) {
        const float *numbers = dataset->inputs + row * dataset->stride;
        json_begin_object(out, NULL);
        json_integer(out, "row", row);
        if (table) {
            write_columns(out, "input", columns, numbers);
        } else {
            write_nested(out, "input", shape, 0, &numbers);
        }
        rows_write_target(dataset, row, values, out);
        json_end_object(out);
    }
    columns_destroy(columns);
    return OK;
}

int rows_write(const Dataset *dataset, int64_t offset, int64_t limit, JsonOut *out) {
    AUTO_FREE double *values = memory_array((size_t)dataset->task.outputs, sizeof *values);
    Vocabulary vocabulary;
    if (values == NULL) {
        return ERR_NO_MEMORY;
    }
    int result = vocabulary_load(dataset->archive, &vocabulary);
    if (result != OK && result != ERR_NOT_FOUND) {
        return result;
    }
    offset = offset > 0 ? offset : 0;
    json_begin_array(out, "items");
    if (result == OK) {
        write_token_rows(dataset, &vocabulary, offset, limit, values, out);
        vocabulary_finish(&vocabulary);
        result = OK;
    } else if (task_graph_rows(&dataset->task) == GRAPH_NODES) {
        write_graph_rows(dataset, offset, limit, values, out);
        result = OK;
    } else {
        result = write_number_rows(dataset, offset, limit, values, out);
    }
    json_end_array(out);
    return result;
}
