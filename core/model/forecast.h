// Forecasting from a window of a series: what becomes of its raw numbers before they are scaled, and how what the net gives
// comes back into the series' own unit.
//
//   none            z_t = x_t
//   log             z_t = ln x_t
//   difference      z_t = x_t − x_{t−1}
//   log_difference  z_t = ln x_t − ln x_{t−1}
//
// A window's first step has no step before it: its difference is 0. The targets are the steps behind the window, in the order
// [horizon, target columns]; their differences begin at the column's last known value inside the window, and so are undone
// from there by a running sum. A missing number (NaN), and one without a logarithm, makes missing what depends on it.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "core/base/archive.h"

typedef enum Transform {
    TRANSFORM_NONE,
    TRANSFORM_LOG,
    TRANSFORM_DIFFERENCE,
    TRANSFORM_LOG_DIFFERENCE,
} Transform;

const char *transform_name(Transform transform);                 // "none", "log", …
int transform_parse(const char *name, Transform *ret_transform); // ERR_NOT_FOUND
bool transform_takes_logs(Transform transform);
bool transform_takes_differences(Transform transform);

typedef struct Forecast {
    Transform transform;
    int64_t columns;       // of the series
    int64_t targets;       // columns to be forecast …
    const int32_t *target; // [targets] … which; borrowed from the archive
} Forecast;

// Sections "series.transform" (text) and "series.targets" i32 [targets], of datasets and models alike. ERR_NOT_FOUND: the
// archive has nothing to do with a series. ERR_DAMAGED.
int forecast_load(const Archive *archive, int64_t columns, Forecast *ret_forecast);
int forecast_save(const Forecast *forecast, ArchiveWriter *writer);

// The window as the net sees it, but unscaled: x and z [steps, columns].
void forecast_inputs(const Forecast *forecast, const float *x, int64_t steps, float *z);
// The same for the targets of the window x [steps, columns], which follow it: z [horizon, targets].
void forecast_targets(const Forecast *forecast, const float *x, int64_t steps, int64_t horizon,
                      float *z);
// Forecasts from the window x [steps, columns], unscaled, into the series' own unit: values [horizon, targets].
void forecast_undo(const Forecast *forecast, const float *x, int64_t steps, int64_t horizon,
                   double *values);
// The column's last known number inside the window x [steps, columns], or NaN.
float forecast_base(const Forecast *forecast, const float *x, int64_t steps, int64_t column);
