// Standardisation: fitting in double over two passes, so that a large mean does not eat the
// deviation.
#include "core/model/scaler.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/archive.h"
#include "core/base/error.h"
#include "core/base/memory.h"

static int scaler_init(Scaler *scaler, int64_t width) {
    *scaler = (Scaler){.width = width};
    scaler->mean = memory_array((size_t)width, sizeof(float));
    scaler->offset = memory_array((size_t)width, sizeof(float));
    scaler->factor = memory_array((size_t)width, sizeof(float));
    if (scaler->mean != NULL && scaler->offset != NULL && scaler->factor != NULL)
        return OK;
    scaler_finish(scaler);
    return ERR_NO_MEMORY;
}

void scaler_finish(Scaler *scaler) {
    memory_free(scaler->mean);
    memory_free(scaler->offset);
    memory_free(scaler->factor);
    *scaler = (Scaler){0};
}

// Adds what is known of each feature to sums and counts: values, or squared distances from `means`.
static void add_rows(const float *x, int64_t width, const int32_t *rows, int64_t count,
                     const double *means, double *sums, int64_t *counts) {
    for (int64_t i = 0; i < count; i++) {
        const float *row = x + (int64_t)rows[i] * width;
        for (int64_t c = 0; c < width; c++) {
            double value = row[c];
            if (isnan(value))
                continue;
            double distance = means == NULL ? value : value - means[c];
            sums[c] += means == NULL ? value : distance * distance;
            counts[c]++;
        }
    }
}

int scaler_identity(int64_t width, Scaler *ret_scaler) {
    int error = scaler_init(ret_scaler, width);
    for (int64_t c = 0; error == OK && c < width; c++)
        ret_scaler->factor[c] = 1;
    return error;
}

int scaler_select(const Scaler *scaler, const int32_t *features, int64_t count,
                  Scaler *ret_scaler) {
    int error = scaler_init(ret_scaler, count);
    for (int64_t i = 0; error == OK && i < count; i++) {
        ret_scaler->mean[i] = scaler->mean[features[i]];
        ret_scaler->offset[i] = scaler->offset[features[i]];
        ret_scaler->factor[i] = scaler->factor[features[i]];
    }
    return error;
}

int scaler_fit(ScalerKind kind, const float *x, int64_t width, const int32_t *rows, int64_t count,
               Scaler *ret_scaler) {
    AUTO_FREE double *means = memory_array((size_t)width, sizeof(double));
    AUTO_FREE double *squares = memory_array((size_t)width, sizeof(double));
    AUTO_FREE int64_t *counts = memory_array((size_t)width, sizeof(int64_t));
    if (means == NULL || squares == NULL || counts == NULL)
        return ERR_NO_MEMORY;
    Scaler scaler;
    int error = scaler_init(&scaler, kind == SCALER_BYTES ? 1 : width);
    if (error != OK)
        return error;
    add_rows(x, width, rows, count, NULL, means, counts);
    if (kind == SCALER_BYTES) { // one mean for the whole image
        double sum = 0;
        int64_t known = 0;
        for (int64_t c = 0; c < width; c++) {
            sum += means[c];
            known += counts[c];
        }
        scaler.mean[0] = known == 0 ? 0 : (float)(sum / (double)known);
        scaler.factor[0] = 1.0f / 255;
        *ret_scaler = scaler;
        return OK;
    }
    for (int64_t c = 0; c < width; c++)
        means[c] = counts[c] == 0 ? 0 : means[c] / (double)counts[c];
    memset(counts, 0, (size_t)width * sizeof(*counts));
    add_rows(x, width, rows, count, means, squares, counts);
    for (int64_t c = 0; c < width; c++) {
        double deviation = counts[c] == 0 ? 0 : sqrt(squares[c] / (double)counts[c]);
        // A constant feature may show a trace of rounding; dividing by it would make noise of it.
        bool constant = deviation <= 1e-7 * fabs(means[c]) || deviation == 0;
        scaler.mean[c] = (float)means[c];
        scaler.offset[c] = kind == SCALER_STANDARD ? (float)means[c] : 0;
        scaler.factor[c] = kind == SCALER_STANDARD && !constant ? (float)(1 / deviation) : 1;
    }
    *ret_scaler = scaler;
    return OK;
}

void scaler_apply(const Scaler *scaler, const float *restrict x, Real *restrict z, int64_t rows,
                  int64_t width) {
    // Runs over every number of every batch: without aliases and branches, so that it becomes
    // vector code.
    const float *restrict means = scaler->mean, *restrict offsets = scaler->offset;
    const float *restrict factors = scaler->factor;
    if (scaler->width == 1) {
        float mean = means[0], offset = offsets[0], factor = factors[0];
        for (int64_t i = 0; i < rows * width; i++)
            z[i] = (Real)(((isnan(x[i]) ? mean : x[i]) - offset) * factor);
        return;
    }
    rows *= width / scaler->width;
    width = scaler->width;
    for (int64_t r = 0; r < rows; r++, x += width, z += width)
        for (int64_t c = 0; c < width; c++) {
            float value = x[c], mean = means[c];
            value = isnan(value) ? mean : value;
            z[c] = (Real)((value - offsets[c]) * factors[c]);
        }
}

void scaler_invert(const Scaler *scaler, const Real *z, float *x, int64_t rows, int64_t width) {
    rows *= width / scaler->width;
    width = scaler->width;
    for (int64_t r = 0; r < rows; r++, x += width, z += width)
        for (int64_t c = 0; c < width; c++)
            x[c] = (float)z[c] / scaler->factor[c] + scaler->offset[c];
}

static int save_part(struct ArchiveWriter *writer, const char *name, const char *part,
                     const float *values, int64_t width) {
    char section[ARCHIVE_NAME_MAX + 1];
    snprintf(section, sizeof(section), "%s.%s", name, part);
    return archive_add(writer, section, ARCHIVE_F32, 1, &width, values);
}

int scaler_save(const Scaler *scaler, const char *name, struct ArchiveWriter *writer) {
    int error = save_part(writer, name, "mean", scaler->mean, scaler->width);
    if (error == OK)
        error = save_part(writer, name, "offset", scaler->offset, scaler->width);
    if (error == OK)
        error = save_part(writer, name, "factor", scaler->factor, scaler->width);
    return error;
}

static const ArchiveSection *find_part(const struct Archive *archive, const char *name,
                                       const char *part) {
    char section[ARCHIVE_NAME_MAX + 1];
    snprintf(section, sizeof(section), "%s.%s", name, part);
    const ArchiveSection *found = archive_typed(archive, section, ARCHIVE_F32);
    return found != NULL && found->rank == 1 ? found : NULL;
}

int scaler_load(const struct Archive *archive, const char *name, Scaler *ret_scaler) {
    const ArchiveSection *mean = find_part(archive, name, "mean");
    const ArchiveSection *offset = find_part(archive, name, "offset");
    const ArchiveSection *factor = find_part(archive, name, "factor");
    if (mean == NULL || offset == NULL || factor == NULL || mean->dims[0] < 1 ||
        offset->dims[0] != mean->dims[0] || factor->dims[0] != mean->dims[0])
        return ERR_DAMAGED;
    const float *factors = factor->data;
    for (int64_t c = 0; c < factor->dims[0]; c++)
        if (!isfinite(factors[c]) || factors[c] == 0) // inverting divides by it
            return ERR_DAMAGED;
    Scaler scaler;
    int error = scaler_init(&scaler, mean->dims[0]);
    if (error != OK)
        return error;
    memcpy(scaler.mean, mean->data, mean->bytes);
    memcpy(scaler.offset, offset->data, offset->bytes);
    memcpy(scaler.factor, factor->data, factor->bytes);
    *ret_scaler = scaler;
    return OK;
}
