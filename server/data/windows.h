// Windows of a series as users write them, for models that forecast.
#pragma once
#include "core/model/forecast.h"
#include "server/data/rows.h"

// The text of a JSON array of windows, each as many steps as `shape` [steps, columns] says; a step is an array in the columns'
// order, an object by name where the columns have names, or a bare number where there is one column; null is missing. What
// the transform cannot take is an issue: a number without a logarithm, a window without a number to begin from. ret_inputs
// [windows, shape] (memory_free). As rows_read.
int windows_read(const Forecast *forecast, const Columns *columns, const Shape *shape,
                 const char *text, size_t length, const char *pointer, Issues *issues,
                 float **ret_inputs, int64_t *ret_windows);
