// Tensors of the Open Inference Protocol's requests, and how they are rows of a prediction.
#pragma once
#include "core/base/issues.h"
#include "server/data/columns.h"
#include "server/json/span.h"

enum { TENSOR_RANK_MAX = 8, TENSOR_NAME = 257 };

typedef struct Datatype {
    const char *name; // "FP32"
    ValueKind kind;   // of its elements in JSON
} Datatype;

typedef struct NamedTensor {
    char name[TENSOR_NAME];
    const Datatype *type;
    int rank;
    int64_t dims[TENSOR_RANK_MAX];
    int64_t count; // product of the dims
    Span *items;   // [count] the elements as they stand in the text, owned
    int64_t used;
} NamedTensor;

typedef struct NamedTensors {
    NamedTensor *items; // [count]
    size_t count;
    Issues *issues; // borrowed
} NamedTensors;

// The tensors of the array at the span: [{"name", "shape", "datatype", "data"}, …]. What is wrong is an issue; ERR_NO_MEMORY.
int tensors_read(Span span, Issues *issues, NamedTensors *ret_tensors); // finish them in any case
void tensors_finish(NamedTensors *tensors);
// As an array of rows, which is what a prediction's body has: of the one tensor called `name`, whose first axis is rows; or, where
// there are columns, of a tensor a column, [rows] or [rows, 1], by its name. What does not fit is an issue.
void tensors_write_rows(const NamedTensors *tensors, const char *name, const Columns *columns,
                        Text *out);
