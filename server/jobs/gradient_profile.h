// How the gradients of a job's layers were over its whole run: the median of each statistic.
#pragma once
#include "server/jobs/series.h"
#include "server/store/tables.h"

typedef struct GradientProfile {
    double (
        *median)[GRADIENT_COLUMNS]; // [layers]; by gradient_names; NAN: the layer has no such thing
    size_t layers;
} GradientProfile;

// Of a job without records: no layers.
int gradient_profile_read(Store *store, const char *job, GradientProfile *ret_profile);
void gradient_profile_finish(GradientProfile *profile);
