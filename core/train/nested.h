// Tensors as people write them: lists within lists of numbers, [[1, 2], [3, 4]].
#pragma once
#include "core/base/issues.h"
#include "core/base/value.h"
#include "core/tensor/tensor.h"

// The shape that the value has by its first items; a number, and anything else that is no list, has rank 0. ERR_INVALID
// with an issue where a list is empty or lists are nested too deep.
int nested_shape(Value value, const Path *path, Issues *issues, Shape *ret_shape);
// Reads a value that must have this shape into data [shape]. Every place that breaks it is an issue; ERR_INVALID then.
int nested_read(Value value, const Shape *shape, const Path *path, Issues *issues, Real *data);
// As nested_read, of whole numbers from 0 to below `bound` ("class number"); null becomes −1 where `nullable`.
int nested_read_whole(Value value, const Shape *shape, const char *what, int64_t bound,
                      bool nullable, const Path *path, Issues *issues, int32_t *data);

// A tensor whose data is NULL is null.
void nested_write(const ValueWriter *out, const char *key, const Tensor *tensor);
// Where rows [rows, time, …] differ in length, each as far as it goes; lengths [rows], or NULL.
void nested_write_rows(const ValueWriter *out, const char *key, const Tensor *tensor,
                       const int32_t *lengths);
// Each NaN is null: a number that is not known.
void nested_write_known(const ValueWriter *out, const char *key, const Tensor *tensor);
