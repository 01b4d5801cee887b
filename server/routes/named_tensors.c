// Elements stay where they stand in the request's text until they are written as rows, number for number and string for string.
#include "server/routes/named_tensors.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const Datatype datatypes[] = {
    {"FP32", VALUE_NUMBER},   {"FP64", VALUE_NUMBER},   {"FP16", VALUE_NUMBER},
    {"INT64", VALUE_NUMBER},  {"INT32", VALUE_NUMBER},  {"INT16", VALUE_NUMBER},
    {"INT8", VALUE_NUMBER},   {"UINT64", VALUE_NUMBER}, {"UINT32", VALUE_NUMBER},
    {"UINT16", VALUE_NUMBER}, {"UINT8", VALUE_NUMBER},  {"BOOL", VALUE_BOOLEAN},
    {"BYTES", VALUE_STRING},
};

void tensors_finish(NamedTensors *tensors) {
    for (size_t i = 0; i < tensors->count; i++)
        memory_free(tensors->items[i].items);
    memory_free(tensors->items);
}

__attribute__((format(printf, 3, 4))) static void
tensor_issue(const NamedTensors *tensors, const char *member, const char *format, ...) {
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/inputs/%zu%s%s", tensors->count, *member != '\0' ? "/" : "",
             member);
    Text detail;
    va_list list;
    text_init(&detail);
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    issues_add_at(tensors->issues, pointer, "%s", text_string(&detail));
    tensors->issues->failed |= detail.failed;
    text_finish(&detail);
}

static void read_text(const NamedTensors *tensors, Span span, const char *member, char *ret_text,
                      size_t size) {
    Span whole = span;
    span_skip(&whole);
    Text text;
    text_init(&text);
    if (span_kind(&span) == VALUE_STRING && (size_t)(whole.at - span.at) < 6 * size) {
        span_string(&span, &text);
        snprintf(ret_text, size, "%s", text_string(&text));
    }
    if (text.length == 0 || text.length >= size)
        tensor_issue(tensors, member, "must be a string of 1 to %zu bytes", size - 1);
    tensors->issues->failed |= text.failed;
    text_finish(&text);
}

static void read_shape(const NamedTensors *tensors, Span span, NamedTensor *tensor) {
    bool valid = span_kind(&span) == VALUE_ARRAY;
    if (valid)
        for (span_enter(&span); valid && span_next(&span);) {
            double size = 0;
            valid = span_kind(&span) == VALUE_NUMBER && tensor->rank < TENSOR_RANK_MAX &&
                    span_number(&span, &size) == OK && size >= 1 && size <= INT32_MAX &&
                    size == (double)(int64_t)size;
            if (valid)
                tensor->dims[tensor->rank++] = (int64_t)size;
        }
    if (!valid || tensor->rank == 0)
        tensor_issue(tensors, "shape", "must be an array of 1 to %d whole numbers above 0",
                     TENSOR_RANK_MAX);
}

static void read_datatype(const NamedTensors *tensors, Span span, NamedTensor *tensor) {
    char name[16] = "";
    read_text(tensors, span, "datatype", name, sizeof name);
    for (size_t i = 0; i < ARRAY_LENGTH(datatypes); i++)
        if (strcmp(datatypes[i].name, name) == 0)
            tensor->type = &datatypes[i];
    if (tensor->type == NULL && name[0] != '\0')
        tensor_issue(tensors, "datatype", "\"%s\" is none of the protocol's data types", name);
}

// The elements one after the other, however `data` is nested. False: there are too many, or one of another kind.
static bool gather(NamedTensor *tensor, Span *span, int depth) {
    ValueKind kind = span_kind(span);
    if (kind == VALUE_ARRAY) {
        if (depth == TENSOR_RANK_MAX)
            return false;
        for (span_enter(span); span_next(span);)
            if (!gather(tensor, span, depth + 1))
                return false;
        return true;
    }
    if ((kind != tensor->type->kind && kind != VALUE_NULL) || tensor->used == tensor->count)
        return false;
    Span item = {.at = span->at};
    span_skip(span);
    item.end = span->at;
    tensor->items[tensor->used++] = item;
    return true;
}

static int read_data(const NamedTensors *tensors, Span span, NamedTensor *tensor) {
    int64_t items = 0, most = (span.end - span.at) / 2 + 1; // an element and a comma each
    size_t count = 1;
    for (int axis = 0; axis < tensor->rank; axis++)
        if (!size_multiply(count, (size_t)tensor->dims[axis], &count) || count > (size_t)most) {
            tensor_issue(tensors, "data", "has fewer elements than the shape says");
            return OK;
        }
    tensor->count = (int64_t)count;
    tensor->items = memory_array(count, sizeof *tensor->items);
    if (tensor->items == NULL)
        return ERR_NO_MEMORY;
    if (span_kind(&span) != VALUE_ARRAY || !gather(tensor, &span, 0) ||
        (items = tensor->used) != tensor->count)
        tensor_issue(tensors, "data", "must have the %lld elements of the shape, each a %s",
                     (long long)tensor->count, value_kind_name(tensor->type->kind));
    return OK;
}

static int read_tensor(NamedTensors *tensors, Span span) {
    static const char *const members[] = {"name", "shape", "datatype", "data"};
    Span found[ARRAY_LENGTH(members)] = {0};
    NamedTensor tensor = {.rank = 0};
    if (span_kind(&span) != VALUE_OBJECT) {
        tensor_issue(tensors, "", "must be an object");
        return OK;
    }
    Text key;
    text_init(&key);
    for (span_enter(&span); span_next(&span);) {
        span_key(&span, &key);
        for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
            if (strcmp(text_string(&key), members[i]) == 0)
                found[i] = span;
        span_skip(&span);
    }
    tensors->issues->failed |= key.failed;
    text_finish(&key);
    size_t before = tensors->issues->count;
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++)
        if (found[i].at == NULL)
            tensor_issue(tensors, members[i], "is required");
    if (tensors->issues->count == before) {
        read_text(tensors, found[0], "name", tensor.name, sizeof tensor.name);
        read_shape(tensors, found[1], &tensor);
        read_datatype(tensors, found[2], &tensor);
    }
    int error = tensors->issues->count == before ? read_data(tensors, found[3], &tensor) : OK;
    tensors->items[tensors->count++] = tensor;
    return error;
}

int tensors_read(Span span, Issues *issues, NamedTensors *ret_tensors) {
    *ret_tensors = (NamedTensors){.issues = issues};
    ret_tensors->items = memory_array((size_t)span_items(span), sizeof *ret_tensors->items);
    int error = ret_tensors->items != NULL ? OK : ERR_NO_MEMORY;
    for (span_enter(&span); error == OK && span_next(&span); span_skip(&span))
        error = read_tensor(ret_tensors, span);
    if (error == OK && ret_tensors->count == 0)
        issues_add_at(issues, "/inputs", "must have at least one tensor");
    return error;
}

// ---- as rows ----

static void write_item(Text *out, const NamedTensor *tensor, int64_t index) {
    const Span *item = &tensor->items[index];
    if (span_kind(item) == VALUE_BOOLEAN)
        text_add(out, *item->at == 't' ? "1" : "0");
    else
        text_add_bytes(out, item->at, (size_t)(item->end - item->at));
}

// The tensor as nested arrays.
static void write_nested(Text *out, const NamedTensor *tensor) {
    for (int64_t i = 0; i < tensor->count; i++) {
        int64_t block = 1, closed = 0, opened = 0;
        for (int axis = tensor->rank - 1; axis >= 0; axis--) {
            block *= tensor->dims[axis];
            opened += i % block == 0;
            closed += (i + 1) % block == 0;
        }
        text_add(out, i > 0 ? "," : "");
        while (opened-- > 0)
            text_add_char(out, '[');
        write_item(out, tensor, i);
        while (closed-- > 0)
            text_add_char(out, ']');
    }
}

static const NamedTensor *find_tensor(const NamedTensors *tensors, const char *name) {
    for (size_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->items[i].name, name) == 0)
            return &tensors->items[i];
    return NULL;
}

static void check_columns(const NamedTensors *tensors, const Columns *columns) {
    int64_t rows = tensors->items[0].dims[0];
    for (size_t i = 0; i < tensors->count; i++) {
        const NamedTensor *tensor = &tensors->items[i];
        if (names_find(&columns->names, tensor->name, strlen(tensor->name)) < 0)
            issues_add_at(tensors->issues, "/inputs", "the model has no column \"%.60s\"",
                          tensor->name);
        if (find_tensor(tensors, tensor->name) != tensor)
            issues_add_at(tensors->issues, "/inputs", "\"%.60s\" stands twice", tensor->name);
        if (tensor->dims[0] != rows || tensor->count != rows)
            issues_add_at(tensors->issues, "/inputs",
                          "\"%.60s\" must have the shape [%lld] or [%lld,1]", tensor->name,
                          (long long)rows, (long long)rows);
    }
}

// Rows by their columns' names; a column that is not given is missing.
static void write_table(Text *out, const NamedTensors *tensors) {
    for (int64_t row = 0; row < tensors->items[0].dims[0]; row++) {
        text_add(out, row == 0 ? "[" : ",");
        JsonOut object;
        json_init(&object);
        json_begin_object(&object, NULL);
        for (size_t i = 0; i < tensors->count; i++) {
            Text item;
            text_init(&item);
            write_item(&item, &tensors->items[i], row);
            json_raw(&object, tensors->items[i].name, text_string(&item));
            object.text.failed |= item.failed;
            text_finish(&item);
        }
        json_end_object(&object);
        text_add_bytes(out, text_string(&object.text), object.text.length);
        out->failed |= object.text.failed;
        json_finish(&object);
    }
    text_add_char(out, ']');
}

static void write_whole(Text *out, const NamedTensors *tensors, const char *name) {
    NamedTensor tensor = tensors->items[0];
    if (tensors->count > 1 || strcmp(tensor.name, name) != 0) {
        issues_add_at(tensors->issues, "/inputs",
                      "must have the one tensor \"%s\", not \"%.60s\"%s", name, tensor.name,
                      tensors->count > 1 ? " and others" : "");
        return;
    }
    if (tensor.type->kind == VALUE_STRING && tensor.count == tensor.dims[0])
        tensor.rank = 1; // texts of [rows, 1] are as good as [rows]
    write_nested(out, &tensor);
}

void tensors_write_rows(const NamedTensors *tensors, const char *name, const Columns *columns,
                        Text *out) {
    if (columns == NULL) {
        write_whole(out, tensors, name);
        return;
    }
    check_columns(tensors, columns);
    if (!issues_any(tensors->issues))
        write_table(out, tensors);
}
