// Standardisation by training statistics, kept with the model: z = (x − offset) · factor per
// feature, and its inverse for regression targets. Missing inputs (NaN) become the training mean.
//
// Tables and series: offset = mean, factor = 1 / standard deviation (1 where it is 0). Images in
// 0…255: offset 0, factor 1/255. Off: offset 0, factor 1; missing values still become the mean.
#pragma once
#include <stdint.h>
#include "core/base/real.h"

typedef struct Scaler {
    int64_t width; // features; or 1 for all of an image
    float *mean;   // [width] what a missing value becomes
    float *offset; // [width]
    float *factor; // [width]
} Scaler;

struct ArchiveWriter;
struct Archive;

typedef enum ScalerKind { SCALER_IDENTITY, SCALER_STANDARD, SCALER_BYTES } ScalerKind;

// Fits on `count` rows of x [*, width], those listed in `rows`.
int scaler_fit(ScalerKind kind, const float *x, int64_t width, const int32_t *rows, int64_t count,
               Scaler *ret_scaler);
// Leaves every number as it is; a missing one becomes 0.
int scaler_identity(int64_t width, Scaler *ret_scaler);
// The scaling of some features, features [count], as a scaler of their own.
int scaler_select(const Scaler *scaler, const int32_t *features, int64_t count, Scaler *ret_scaler);
void scaler_finish(Scaler *scaler);
// Of both: x and z [rows, width] do not overlap. The width is the scaler's or a multiple of it: then the features repeat, as
// those of a series at each of its steps.
void scaler_apply(const Scaler *scaler, const float *restrict x, Real *restrict z, int64_t rows,
                  int64_t width);
void scaler_invert(const Scaler *scaler, const Real *z, float *x, int64_t rows, int64_t width);
// Sections "NAME.mean", "NAME.offset", "NAME.factor".
int scaler_save(const Scaler *scaler, const char *name, struct ArchiveWriter *writer);
int scaler_load(const struct Archive *archive, const char *name, Scaler *ret_scaler);
