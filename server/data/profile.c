// Sixteen columns at a time, so that every cache line of the row-major inputs is read once; a chunk
// of rows is turned into columns, and each column updates its sums and its set of distinct values.
//
// Mean and standard deviation (of the population) are sums of differences from the first value:
// exact enough without a second pass. Distinct values are counted in the first PROFILE_DISTINCT_MAX
// rows, and said to be approximate beyond.
#include "server/data/profile.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/base/source.h"

enum { BLOCK = 16, CHUNK = 2048, NAMES_SHOWN = 10 };

typedef struct Statistics {
    int64_t count, missing, distinct;
    double first, sum, squares; // of the differences from the first
    double minimum, maximum;
} Statistics;

typedef struct Profile {
    const float *inputs;     // [rows, width], or
    bool mapped;             // the inputs are
    const GraphData *sparse; // mostly zeros
    int32_t *cursor;         // [rows] of these: the first number that no block has seen
    int64_t rows, width;
    Statistics *features; // [seen] columns of the inputs
    int64_t listed;
    uint32_t *sets; // [BLOCK, set_size] bits of the values seen; 0: free
    size_t set_size;
    int set_shift;
    float chunk[BLOCK][CHUNK];
} Profile;

static void see_distinct(const Profile *profile, uint32_t *set, Statistics *feature, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits ^= 0x7FC00000u; // a NaN's, which is never here: no value is 0
    size_t mask = profile->set_size - 1;
    size_t slot = (size_t)(bits * 2654435761u >> profile->set_shift) & mask;
    while (set[slot] != 0) {
        if (set[slot] == bits) {
            return;
        }
        slot = (slot + 1) & mask;
    }
    set[slot] = bits;
    feature->distinct++;
}

// values [count], the rows from `first_row` on
static void see_values(const Profile *profile, uint32_t *set, Statistics *feature,
                       const float *values, int64_t first_row, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        float value = values[i] + 0.0f; // −0 is 0
        if (isnan(value)) {
            feature->missing++;
            continue;
        }
        if (feature->count++ == 0) {
            feature->first = feature->minimum = feature->maximum = (double)value;
        }
        double difference = (double)value - feature->first;
        feature->sum += difference;
        feature->squares += difference * difference;
        feature->minimum = fmin(feature->minimum, (double)value);
        feature->maximum = fmax(feature->maximum, (double)value);
        if (first_row + i < PROFILE_DISTINCT_MAX) {
            see_distinct(profile, set, feature, value);
        }
    }
}

// The chunk's rows from `row` on, `columns` columns from `first` on. Blocks come in their order.
static void fill_chunk(Profile *profile, int64_t row, int64_t count, int64_t first, int columns) {
    const GraphData *sparse = profile->sparse;
    for (int64_t i = 0; sparse == NULL && i < count; i++) {
        const float *from = profile->inputs + (row + i) * profile->width + first;
        for (int column = 0; column < columns; column++) {
            profile->chunk[column][i] = from[column];
        }
    }
    for (int column = 0; sparse != NULL && column < columns; column++) {
        memset(profile->chunk[column], 0, (size_t)count * sizeof **profile->chunk);
    }
    for (int64_t i = 0; sparse != NULL && i < count; i++) {
        int32_t *at = &profile->cursor[row + i], end = sparse->first[row + i + 1];
        for (; *at < end && sparse->column[*at] < first + columns; (*at)++) {
            profile->chunk[sparse->column[*at] - first][i] = sparse->value[*at];
        }
    }
}

static void see_block(Profile *profile, int64_t first, int columns) {
    memset(profile->sets, 0, BLOCK * profile->set_size * sizeof *profile->sets);
    const char *passed = profile->mapped ? (const char *)profile->inputs : NULL;
    for (int64_t row = 0; row < profile->rows; row += CHUNK) {
        int64_t count = profile->rows - row < CHUNK ? profile->rows - row : CHUNK;
        fill_chunk(profile, row, count, first, columns);
        if (passed != NULL) {
            source_pass(&passed, (const char *)(profile->inputs + (row + count) * profile->width));
        }
        for (int column = 0; column < columns; column++) {
            see_values(profile, profile->sets + (size_t)column * profile->set_size,
                       &profile->features[first + column], profile->chunk[column], row, count);
        }
    }
}

// seen: columns that are looked at.
static int profile_create(int64_t rows, int64_t width, int64_t seen, Profile **ret_profile) {
    Profile *profile = memory_new(Profile);
    if (profile == NULL) {
        return ERR_NO_MEMORY;
    }
    profile->rows = rows;
    profile->width = width;
    profile->listed = width;
    int64_t values = rows < PROFILE_DISTINCT_MAX ? rows : PROFILE_DISTINCT_MAX;
    int bits = 6;
    while (((int64_t)1 << bits) < values * 2) {
        bits++;
    }
    profile->set_size = (size_t)1 << bits;
    profile->set_shift = 32 - bits;
    profile->sets = memory_array(BLOCK * profile->set_size, sizeof *profile->sets);
    profile->features = memory_array((size_t)seen, sizeof *profile->features);
    if (profile->sets == NULL || profile->features == NULL) {
        memory_free(profile->sets);
        memory_free(profile->features);
        memory_free(profile);
        return ERR_NO_MEMORY;
    }
    *ret_profile = profile;
    return OK;
}

static void profile_destroy(Profile *profile) {
    memory_free(profile->sets);
    memory_free(profile->features);
    memory_free(profile->cursor);
    memory_free(profile);
}

// ---- columns as the user knows them ----

typedef struct Feature {
    char name[64];     // where the column has none
    const char *title; // the name
    bool category;
    int64_t values; // of a category
    Statistics statistics;
} Feature;

// A plain row's numbers are called by their indices: "3", or "3,5" where rows have axes.
static void index_name(const Shape *shape, int64_t index, char *name, size_t size) {
    int64_t stride = shape_elements(shape);
    size_t length = 0;
    for (int axis = 0; axis < shape->rank && length < size; axis++) {
        stride /= shape->dim[axis];
        length += (size_t)snprintf(name + length, size - length, "%s%lld", axis > 0 ? "," : "",
                                   (long long)(index / stride % shape->dim[axis]));
    }
}

static void feature_at(const Profile *profile, const Shape *shape, const Columns *columns,
                       int64_t index, Feature *feature) {
    *feature = (Feature){0};
    if (columns == NULL) {
        index_name(shape, index, feature->name, sizeof feature->name);
        feature->title = feature->name;
        feature->statistics = profile->features[index];
        return;
    }
    const Column *column = &columns->items[index];
    feature->title = column->name;
    feature->category = column->category;
    if (!column->category) {
        feature->statistics = profile->features[column->offset];
        return;
    }
    // The place for "missing" is 1 in the rows that miss it.
    feature->values = (int64_t)column->values.count;
    const Statistics *place = &profile->features[column->offset + feature->values];
    feature->statistics.missing =
        (int64_t)llround(place->sum + place->first * (double)place->count);
    feature->statistics.count = profile->rows - feature->statistics.missing;
    feature->statistics.distinct = feature->values;
}

static bool feature_constant(const Feature *feature) {
    const Statistics *statistics = &feature->statistics;
    if (statistics->count == 0) {
        return true;
    }
    // A category with missing rows tells these from the others.
    return feature->category ? feature->values < 2 && statistics->missing == 0
                             : statistics->minimum == statistics->maximum;
}

static void feature_write(const Profile *profile, const Feature *feature, JsonOut *out) {
    const Statistics *statistics = &feature->statistics;
    json_begin_object(out, NULL);
    json_string(out, "name", feature->title);
    if (feature->category || statistics->count == 0) {
        json_null(out, "mean");
        json_null(out, "std");
        json_null(out, "min");
        json_null(out, "max");
    } else {
        double mean = statistics->sum / (double)statistics->count;
        double variance = statistics->squares / (double)statistics->count - mean * mean;
        json_number(out, "mean", statistics->first + mean);
        json_number(out, "std", sqrt(fmax(variance, 0)));
        json_float(out, "min", (float)statistics->minimum);
        json_float(out, "max", (float)statistics->maximum);
    }
    json_integer(out, "missing", statistics->missing);
    json_integer(out, "distinct", statistics->distinct);
    if (profile->rows > PROFILE_DISTINCT_MAX && !feature->category) {
        json_boolean(out, "approximate", true);
    }
    json_end_object(out);
}

// ---- what to be wary of ----

typedef struct Wary {
    JsonOut constant; // names of features
    int64_t constant_count;
    JsonOut missing; // {name, missing} of features
    int64_t missing_count;
    double missing_most; // greatest fraction
} Wary;

static void wary_see(Wary *wary, const Feature *feature, int64_t rows) {
    if (feature_constant(feature) && wary->constant_count++ < NAMES_SHOWN) {
        json_string(&wary->constant, NULL, feature->title);
    }
    if (feature->statistics.missing == 0) {
        return;
    }
    wary->missing_most =
        fmax(wary->missing_most, (double)feature->statistics.missing / (double)rows);
    if (wary->missing_count++ < NAMES_SHOWN) {
        json_begin_object(&wary->missing, NULL);
        json_string(&wary->missing, "name", feature->title);
        json_integer(&wary->missing, "missing", feature->statistics.missing);
        json_end_object(&wary->missing);
    }
}

static void find_in_features(const Wary *wary, Findings *findings) {
    JsonOut evidence;
    json_init(&evidence);
    if (wary->constant_count > 0) {
        json_begin_object(&evidence, NULL);
        json_integer(&evidence, "count", wary->constant_count);
        text_add_format(&evidence.text, ",\"features\":[%s]", text_string(&wary->constant.text));
        json_end_object(&evidence);
        findings_add(findings, "constant_feature", "info", text_string(&evidence.text));
    }
    json_finish(&evidence);
    json_init(&evidence);
    if (wary->missing_count > 0) {
        json_begin_object(&evidence, NULL);
        json_integer(&evidence, "count", wary->missing_count);
        json_number(&evidence, "greatest_fraction", wary->missing_most);
        text_add_format(&evidence.text, ",\"features\":[%s]", text_string(&wary->missing.text));
        json_end_object(&evidence);
        findings_add(findings, "missing_values", wary->missing_most >= 0.5 ? "warning" : "info",
                     text_string(&evidence.text));
    }
    findings->out.text.failed |=
        evidence.text.failed || wary->constant.text.failed || wary->missing.text.failed;
    json_finish(&evidence);
}

void profile_find_in_classes(const Targets *targets, Findings *findings) {
    enum { RATIO = 10 }; // SageMaker Debugger's threshold (diagnosis.md)
    int64_t least = -1;
    int64_t most = -1;
    for (int64_t i = 0; i < targets->class_count; i++) {
        int64_t rows = targets->class_rows[i];
        if (rows > 0 && (least < 0 || rows < targets->class_rows[least])) {
            least = i;
        }
        if (most < 0 || rows > targets->class_rows[most]) {
            most = i;
        }
    }
    if (least < 0 || targets->class_rows[most] < RATIO * targets->class_rows[least]) {
        return;
    }
    double ratio = (double)targets->class_rows[most] / (double)targets->class_rows[least];
    JsonOut evidence;
    json_init(&evidence);
    json_begin_object(&evidence, NULL);
    json_string(&evidence, "largest", targets->class_names[most]);
    json_integer(&evidence, "largest_rows", targets->class_rows[most]);
    json_string(&evidence, "smallest", targets->class_names[least]);
    json_integer(&evidence, "smallest_rows", targets->class_rows[least]);
    json_number(&evidence, "ratio", ratio);
    json_end_object(&evidence);
    findings_add(findings, "class_imbalance", "warning", text_string(&evidence.text));
    findings->out.text.failed |= evidence.text.failed;
    json_finish(&evidence);
}

void profile_write_classes(const Targets *targets, JsonOut *out) {
    json_begin_array(out, "classes");
    for (int64_t i = 0; i < targets->class_count; i++) {
        json_begin_object(out, NULL);
        json_string(out, "name", targets->class_names[i]);
        json_integer(out, "count", targets->class_rows[i]);
        json_end_object(out);
    }
    json_end_array(out);
}

// What is looked at of plain rows is what is listed; a table's columns may end anywhere.
static int64_t columns_seen(int64_t width, const Columns *columns) {
    return columns != NULL || width < PROFILE_FEATURES_MAX ? width : PROFILE_FEATURES_MAX;
}

static void write_profile(Profile *profile, const Shape *shape, const Columns *columns,
                          const Targets *targets, JsonOut *out, Findings *findings) {
    int64_t features = columns != NULL ? (int64_t)columns->count : profile->width;
    int64_t listed = features < PROFILE_FEATURES_MAX ? features : PROFILE_FEATURES_MAX;
    int64_t seen = columns_seen(profile->width, columns);
    for (int64_t first = 0; first < seen; first += BLOCK) {
        see_block(profile, first, seen - first < BLOCK ? (int)(seen - first) : BLOCK);
    }
    Wary wary = {0};
    json_init(&wary.constant);
    json_init(&wary.missing);
    json_begin_array(out, "features");
    for (int64_t i = 0; i < listed; i++) {
        Feature feature;
        feature_at(profile, shape, columns, i, &feature);
        feature_write(profile, &feature, out);
        wary_see(&wary, &feature, profile->rows);
    }
    json_end_array(out);
    if (listed < features) {
        json_integer(out, "features_omitted", features - listed);
    }
    profile_write_classes(targets, out);
    find_in_features(&wary, findings);
    profile_find_in_classes(targets, findings);
    json_finish(&wary.constant);
    json_finish(&wary.missing);
}

int profile_write(const ProfileInputs *inputs, const Columns *columns, const Targets *targets,
                  JsonOut *out, Findings *findings) {
    Profile *profile;
    int64_t width = shape_elements(&inputs->shape);
    int result = profile_create(inputs->rows, width, columns_seen(width, columns), &profile);
    if (result != OK) {
        return result;
    }
    profile->inputs = inputs->numbers;
    profile->mapped = inputs->mapped;
    write_profile(profile, &inputs->shape, columns, targets, out, findings);
    profile_destroy(profile);
    return out->text.failed || findings->out.text.failed ? ERR_NO_MEMORY : OK;
}

int profile_write_sparse(const GraphData *data, const Columns *columns, const Targets *targets,
                         JsonOut *out, Findings *findings) {
    Profile *profile;
    int64_t seen = columns_seen(data->features, columns);
    int result = profile_create(data->nodes, data->features, seen, &profile);
    if (result != OK) {
        return result;
    }
    profile->sparse = data;
    profile->cursor = memory_array((size_t)data->nodes, sizeof *profile->cursor);
    if (profile->cursor == NULL) {
        profile_destroy(profile);
        return ERR_NO_MEMORY;
    }
    memcpy(profile->cursor, data->first, (size_t)data->nodes * sizeof *profile->cursor);
    write_profile(profile, &SHAPE(data->features), columns, targets, out, findings);
    profile_destroy(profile);
    return out->text.failed || findings->out.text.failed ? ERR_NO_MEMORY : OK;
}
