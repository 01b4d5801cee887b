// Transforms of series. Logarithms are taken in double: the difference of two of them in single would keep few of its digits.
#include "core/model/forecast.h"
#include <math.h>
#include <string.h>
#include "core/base/archive_text.h"
#include "core/base/error.h"
#include "core/base/memory.h"

static const struct {
    const char *name;
    Transform transform;
    bool logs, differences;
} transforms[] = {
    {"none", TRANSFORM_NONE, false, false},
    {"log", TRANSFORM_LOG, true, false},
    {"difference", TRANSFORM_DIFFERENCE, false, true},
    {"log_difference", TRANSFORM_LOG_DIFFERENCE, true, true},
};

const char *transform_name(Transform transform) {
    return transforms[transform].name;
}

int transform_parse(const char *name, Transform *ret_transform) {
    for (size_t i = 0; i < ARRAY_LENGTH(transforms); i++)
        if (strcmp(transforms[i].name, name) == 0) {
            *ret_transform = transforms[i].transform;
            return OK;
        }
    return ERR_NOT_FOUND;
}

bool transform_takes_logs(Transform transform) {
    return transforms[transform].logs;
}

bool transform_takes_differences(Transform transform) {
    return transforms[transform].differences;
}

// ---- archives ----

int forecast_load(const Archive *archive, int64_t columns, Forecast *ret_forecast) {
    if (archive_find(archive, "series.transform") == NULL)
        return ERR_NOT_FOUND;
    AUTO_FREE char *name = archive_text(archive, "series.transform");
    const ArchiveSection *targets = archive_typed(archive, "series.targets", ARCHIVE_I32);
    Forecast forecast = {.columns = columns};
    if (name == NULL)
        return archive_text_error(archive, "series.transform");
    if (transform_parse(name, &forecast.transform) != OK || targets == NULL || targets->rank != 1 ||
        targets->dims[0] < 1)
        return ERR_DAMAGED;
    forecast.targets = targets->dims[0];
    forecast.target = targets->data;
    for (int64_t i = 0; i < forecast.targets; i++)
        if (forecast.target[i] < 0 || forecast.target[i] >= columns)
            return ERR_DAMAGED;
    *ret_forecast = forecast;
    return OK;
}

int forecast_save(const Forecast *forecast, ArchiveWriter *writer) {
    int error = archive_add_text(writer, "series.transform", transform_name(forecast->transform));
    return error == OK ? archive_add(writer, "series.targets", ARCHIVE_I32, 1, &forecast->targets,
                                     forecast->target)
                       : error;
}

// ---- numbers ----

static double level(Transform transform, float x) {
    if (!transform_takes_logs(transform))
        return (double)x;
    return x > 0 ? log((double)x) : NAN;
}

void forecast_inputs(const Forecast *forecast, const float *x, int64_t steps, float *z) {
    int64_t columns = forecast->columns;
    if (forecast->transform == TRANSFORM_NONE) {
        memcpy(z, x, (size_t)(steps * columns) * sizeof(*z));
        return;
    }
    bool differences = transform_takes_differences(forecast->transform);
    for (int64_t c = 0; c < columns; c++) {
        double before = 0;
        for (int64_t t = 0; t < steps; t++) {
            double now = level(forecast->transform, x[t * columns + c]);
            z[t * columns + c] = (float)(!differences ? now : t == 0 ? 0 : now - before);
            before = now;
        }
    }
}

float forecast_base(const Forecast *forecast, const float *x, int64_t steps, int64_t column) {
    for (int64_t t = steps; t-- > 0;)
        if (!isnan(level(forecast->transform, x[t * forecast->columns + column])))
            return x[t * forecast->columns + column];
    return NAN;
}

static double base_level(const Forecast *forecast, const float *x, int64_t steps, int64_t column) {
    if (!transform_takes_differences(forecast->transform))
        return 0;
    return level(forecast->transform, forecast_base(forecast, x, steps, column));
}

void forecast_targets(const Forecast *forecast, const float *x, int64_t steps, int64_t horizon,
                      float *z) {
    bool differences = transform_takes_differences(forecast->transform);
    const float *ahead = x + steps * forecast->columns;
    for (int64_t k = 0; k < forecast->targets; k++) {
        int64_t column = forecast->target[k];
        double before = base_level(forecast, x, steps, column);
        for (int64_t h = 0; h < horizon; h++) {
            double now = level(forecast->transform, ahead[h * forecast->columns + column]);
            z[h * forecast->targets + k] = (float)(now - before);
            before = differences ? now : 0;
        }
    }
}

void forecast_undo(const Forecast *forecast, const float *x, int64_t steps, int64_t horizon,
                   double *values) {
    bool logs = transform_takes_logs(forecast->transform);
    bool differences = transform_takes_differences(forecast->transform);
    for (int64_t k = 0; k < forecast->targets; k++) {
        double now = base_level(forecast, x, steps, forecast->target[k]);
        for (int64_t h = 0; h < horizon; h++) {
            double *value = &values[h * forecast->targets + k];
            now = differences ? now + *value : *value;
            *value = logs ? exp(now) : now;
        }
    }
}
