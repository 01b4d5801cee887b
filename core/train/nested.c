// One walk for numbers and for whole numbers: lists are checked alike, only what stands innermost differs.
#include "core/train/nested.h"
#include <math.h>
#include <stdio.h>
#include "core/base/error.h"

typedef struct Reader {
    Issues *issues;
    const Shape *shape; // of the whole, for messages
    Real *numbers;      // where the next one goes; NULL: whole numbers are read
    int32_t *whole;
    const char *what; // a whole number's name
    int64_t bound;
    bool nullable;
    int result;
} Reader;

int nested_shape(Value value, const Path *path, Issues *issues, Shape *ret_shape) {
    Shape shape = {0};
    while (value_kind(value) == VALUE_ARRAY) {
        Value first = value_child(value);
        if (first.node == NULL) {
            issues_add(issues, path, "has an empty list");
            return ERR_INVALID;
        }
        if (shape.rank == SHAPE_RANK_MAX) {
            issues_add(issues, path, "has lists nested deeper than %d", SHAPE_RANK_MAX);
            return ERR_INVALID;
        }
        shape.dim[shape.rank++] = (int64_t)value_length(value);
        value = first;
    }
    *ret_shape = shape;
    return OK;
}

static void refuse(Reader *reader, const Path *path, const char *wanted, Value value) {
    char text[32];
    const char *got = value_kind_name(value_kind(value));
    if (value_kind(value) == VALUE_NUMBER) {
        snprintf(text, sizeof(text), "%.15g", value_number(value));
        got = text;
    }
    issues_add(reader->issues, path, "must be %s, not %s", wanted, got);
    reader->result = ERR_INVALID;
}

static void read_element(Reader *reader, Value value, const Path *path) {
    if (reader->numbers != NULL) {
        if (value_kind(value) != VALUE_NUMBER)
            refuse(reader, path, "a number", value);
        *reader->numbers++ = (Real)value_number(value);
        return;
    }
    int64_t number = -1;
    bool missing = reader->nullable && value_kind(value) == VALUE_NULL;
    if (!missing && !value_integer(value, 0, reader->bound - 1, &number)) {
        char wanted[96];
        snprintf(wanted, sizeof(wanted), "a %s from 0 to %lld%s", reader->what,
                 (long long)(reader->bound - 1), reader->nullable ? " or null" : "");
        refuse(reader, path, wanted, value);
    }
    *reader->whole++ = (int32_t)number;
}

static void read_axis(Reader *reader, Value value, int axis, const Path *path) {
    if (axis == reader->shape->rank) {
        read_element(reader, value, path);
        return;
    }
    size_t wanted = (size_t)reader->shape->dim[axis], count = value_length(value);
    if (value_kind(value) != VALUE_ARRAY || count != wanted) {
        char text[SHAPE_TEXT], got[32];
        snprintf(got, sizeof(got), "one of %zu", count);
        issues_add(reader->issues, path,
                   "must be a list of %zu, not %s: the whole has the shape %s", wanted,
                   value_kind(value) == VALUE_ARRAY ? got : value_kind_name(value_kind(value)),
                   shape_text(reader->shape, text));
        reader->result = ERR_INVALID;
        return; // what follows is read to the wrong place, which nobody uses any more
    }
    size_t i = 0;
    VALUE_FOREACH(item, value)
    read_axis(reader, item, axis + 1, PATH_INDEX(path, i++));
}

int nested_read(Value value, const Shape *shape, const Path *path, Issues *issues, Real *data) {
    Reader reader = {.issues = issues, .shape = shape, .numbers = data};
    read_axis(&reader, value, 0, path);
    return reader.result;
}

int nested_read_whole(Value value, const Shape *shape, const char *what, int64_t bound,
                      bool nullable, const Path *path, Issues *issues, int32_t *data) {
    Reader reader = {.issues = issues,
                     .shape = shape,
                     .whole = data,
                     .what = what,
                     .bound = bound,
                     .nullable = nullable};
    read_axis(&reader, value, 0, path);
    return reader.result;
}

typedef struct Writer {
    const ValueWriter *out;
    const Shape *shape;
    const int32_t *lengths; // [rows] of the second axis, or NULL
    bool known;
} Writer;

// `row` is the index on the first axis.
static void write_axis(const Writer *writer, const char *key, int axis, int64_t row,
                       const Real *data) {
    const Shape *shape = writer->shape;
    if (axis == shape->rank) {
        if (writer->known && isnan(*data))
            write_null(writer->out, key);
        else
            write_number(writer->out, key, (double)*data);
        return;
    }
    size_t stride = 1;
    for (int i = axis + 1; i < shape->rank; i++)
        stride *= (size_t)shape->dim[i];
    int64_t count = axis == 1 && writer->lengths != NULL ? writer->lengths[row] : shape->dim[axis];
    write_begin_array(writer->out, key);
    for (int64_t i = 0; i < count; i++)
        write_axis(writer, NULL, axis + 1, axis == 0 ? i : row, data + (size_t)i * stride);
    write_end_array(writer->out);
}

static void write_tensor(const ValueWriter *out, const char *key, const Tensor *tensor,
                         const int32_t *lengths, bool known) {
    const Writer writer = {out, &tensor->shape, lengths, known};
    if (tensor->data == NULL)
        write_null(out, key);
    else
        write_axis(&writer, key, 0, 0, tensor->data);
}

void nested_write(const ValueWriter *out, const char *key, const Tensor *tensor) {
    write_tensor(out, key, tensor, NULL, false);
}

void nested_write_rows(const ValueWriter *out, const char *key, const Tensor *tensor,
                       const int32_t *lengths) {
    write_tensor(out, key, tensor, lengths, false);
}

void nested_write_known(const ValueWriter *out, const char *key, const Tensor *tensor) {
    write_tensor(out, key, tensor, NULL, true);
}
