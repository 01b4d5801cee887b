// Series out of a job's records.
//
// A query spreads the steps it covers over `points` buckets of equal width. What falls into one
// becomes one point: the last step and value in it, and the least and greatest value, so that no
// spike is lost to thinning. NaN is neither least nor greatest unless there is nothing else.
// Records come in order of their seq; a step that was written again after a resume takes the place
// of the earlier one, and steps never go back.
#include "server/jobs/series.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/diagnose/statistics.h"
#include "server/base/table.h"
#include "server/jobs/jobs.h"
#include "server/json/document.h"

const char *const metric_names[] = {
#define X(name) #name,
    METRIC_SERIES(X)
#undef X
};

const char *const gradient_names[] = {"layer",
#define X(name) #name,
                                      LAYER_STATISTICS(X)
#undef X
};
_Static_assert(ARRAY_LENGTH(gradient_names) == GRADIENT_COLUMNS, "one column a statistic");

enum { LAYERS_MAX = 1 << 16 }; // a bound on what a table may name as its layer

static int name_find(const char *const *names, int count, const char *name) {
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

int metric_find(const char *name) {
    return name_find(metric_names, METRIC_COUNT, name);
}

int gradient_find(const char *name) {
    return name_find(gradient_names, GRADIENT_COLUMNS, name);
}

// ---- points ----

typedef struct Point {
    int64_t step;
    double value, minimum, maximum;
} Point;

typedef struct Series {
    Point *points; // [count]
    size_t count, capacity;
    int64_t bucket; // of the newest point
} Series;

typedef struct Scale { // steps → buckets
    int64_t first, width;
} Scale;

static int series_add(Series *series, const Scale *scale, int64_t step, double value) {
    int64_t bucket = (step - scale->first) / scale->width;
    Point *last = series->count > 0 ? &series->points[series->count - 1] : NULL;
    if (last != NULL && step < last->step)
        return OK;
    if (last != NULL && bucket == series->bucket) {
        bool alone = scale->width == 1;
        last->step = step;
        last->value = value;
        last->minimum = alone ? value : fmin(last->minimum, value); // fmin passes over NaN
        last->maximum = alone ? value : fmax(last->maximum, value);
        return OK;
    }
    if (series->count == series->capacity) {
        size_t capacity = series->capacity > 0 ? 2 * series->capacity : 64;
        Point *points = memory_resize(series->points, series->count, capacity, sizeof *points);
        if (points == NULL)
            return ERR_NO_MEMORY;
        series->points = points;
        series->capacity = capacity;
    }
    series->points[series->count++] = (Point){step, value, value, value};
    series->bucket = bucket;
    return OK;
}

// ---- a collection: rows of series (one for metrics, one a layer for gradients) ----

typedef struct Collection {
    const char *const *names; // [columns] of one row
    int columns;
    int first_column; // 1 where the table's column 0 says which row
    bool *wanted;     // [columns]
    int64_t from_step;
    Scale scale;
    Series *series; // [rows, columns]
    size_t rows;
} Collection;

static void collection_finish(Collection *collection) {
    for (size_t i = 0; i < collection->rows * (size_t)collection->columns; i++)
        memory_free(collection->series[i].points);
    memory_free(collection->series);
    memory_free(collection->wanted);
}

static int collection_grow(Collection *collection, size_t rows) {
    if (rows <= collection->rows)
        return OK;
    size_t columns = (size_t)collection->columns;
    Series *series = memory_resize(collection->series, collection->rows * columns, rows * columns,
                                   sizeof *series);
    if (series == NULL)
        return ERR_NO_MEMORY;
    collection->series = series;
    collection->rows = rows;
    return OK;
}

static int collect_row(Collection *collection, const TableView *view, const int *columns,
                       size_t row) {
    int64_t step = table_step(view, row);
    size_t group = 0;
    if (step < collection->from_step || step < collection->scale.first)
        return OK;
    if (collection->first_column > 0) {
        double layer = table_value(view, columns[0], row);
        if (!(layer >= 0 && layer < LAYERS_MAX))
            return ERR_DAMAGED;
        group = (size_t)layer;
    }
    int result = collection_grow(collection, group + 1);
    for (int i = collection->first_column; i < collection->columns && result == OK; i++) {
        if (columns[i] < 0 || !collection->wanted[i])
            continue;
        Series *series = &collection->series[group * (size_t)collection->columns + (size_t)i];
        double value = table_value(view, columns[i], row);
        // A layer without this statistic has NaN from the start; one that became NaN has it later.
        if (collection->first_column > 0 && isnan(value) && series->count == 0)
            continue;
        result = series_add(series, &collection->scale, step, value);
    }
    return result;
}

static int collect(void *context, const Record *record) {
    Collection *collection = context;
    TableView view;
    int columns[TABLE_COLUMNS_MAX];
    if (record->last_step < collection->from_step)
        return OK;
    int result = table_view(record->body, record->length, &view);
    for (int i = 0; i < collection->columns && result == OK; i++)
        columns[i] = table_column(&view, collection->names[i]);
    if (result == OK && collection->first_column > 0 && columns[0] < 0)
        return ERR_DAMAGED;
    for (size_t row = 0; row < view.rows && result == OK; row++)
        result = collect_row(collection, &view, columns, row);
    return result;
}

// Which series were asked for; ERR_INVALID: one that is none.
static int wanted_read(Collection *collection, const char *names) {
    for (int i = 0; i < collection->columns; i++)
        collection->wanted[i] = names == NULL;
    while (names != NULL && *names != '\0') {
        char name[64];
        size_t length = strcspn(names, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        int column =
            length < sizeof name ? name_find(collection->names, collection->columns, name) : -1;
        if (column < collection->first_column)
            return ERR_INVALID;
        collection->wanted[column] = true;
        names += length;
        names += *names == ',';
    }
    return OK;
}

static int collection_init(const char *const *names, int columns, int first_column,
                           const char *wanted, Collection *collection) {
    *collection = (Collection){
        .names = names, .columns = columns, .first_column = first_column, .scale = {INT64_MIN, 1}};
    collection->wanted = memory_array((size_t)columns, sizeof *collection->wanted);
    if (collection->wanted == NULL)
        return ERR_NO_MEMORY;
    int result = wanted_read(collection, wanted);
    if (result != OK)
        collection_finish(collection);
    return result;
}

// Reads all records of a kind into a collection that the caller finishes.
static int collection_read(Store *store, const char *job, const char *kind,
                           const SeriesQuery *query, Collection *collection) {
    int64_t first = 0, last = 0;
    bool gradients = strcmp(kind, "gradients") == 0;
    int result =
        gradients ? collection_init(gradient_names, GRADIENT_COLUMNS, 1, query->names, collection)
                  : collection_init(metric_names, METRIC_COUNT, 0, query->names, collection);
    if (result != OK)
        return result;
    collection->from_step = query->from_step;
    result = records_span(store, job, kind, &first, &last);
    if (first < query->from_step)
        first = query->from_step;
    collection->scale = (Scale){first, 1};
    if (query->points > 0 && last >= first)
        collection->scale.width = (last - first) / query->points + 1;
    if (result == OK)
        result = records_since(store, job, kind, 0, -1, collect, collection);
    if (result == ERR_NOT_FOUND) // no record yet
        result = OK;
    if (result != OK)
        collection_finish(collection);
    return result;
}

// ---- JSON ----

typedef struct Form { // what is written of a point, and how
    bool bounds;      // min and max too
    bool peaks, single;
} Form;

static Form form_of(const SeriesQuery *query) {
    return (Form){!query->peaks, query->peaks, query->single};
}

static void steps_write(const Series *series, JsonOut *out) {
    json_begin_array(out, "step");
    for (size_t i = 0; i < series->count; i++)
        json_integer(out, NULL, series->points[i].step);
    json_end_array(out);
}

static double point_value(const Point *point) {
    return point->value;
}

static double point_minimum(const Point *point) {
    return point->minimum;
}

static double point_maximum(const Point *point) {
    return point->maximum;
}

static double point_peak(const Point *point) {
    return isnan(point->value) ? point->value : point->maximum;
}

static void number_write(double number, bool single, JsonOut *out) {
    if (single && (fabs(number) <= (double)FLT_MAX || !isfinite(number)))
        json_float(out, NULL, (float)number);
    else
        json_number(out, NULL, number);
}

static void values_write(const Series *series, const char *key, double (*value)(const Point *point),
                         bool single, JsonOut *out) {
    json_begin_array(out, key);
    for (size_t i = 0; i < series->count; i++)
        number_write(value(&series->points[i]), single, out);
    json_end_array(out);
}

// The series of one row as "series": {…}.
static void row_write(const Collection *collection, size_t row, Form form, JsonOut *out) {
    json_begin_object(out, "series");
    for (int i = collection->first_column; i < collection->columns; i++) {
        const Series *series = &collection->series[row * (size_t)collection->columns + (size_t)i];
        if (!collection->wanted[i] || series->count == 0)
            continue;
        json_begin_object(out, collection->names[i]);
        steps_write(series, out);
        values_write(series, "value", form.peaks ? point_peak : point_value, form.single, out);
        if (form.bounds) {
            values_write(series, "min", point_minimum, form.single, out);
            values_write(series, "max", point_maximum, form.single, out);
        }
        json_end_object(out);
    }
    json_end_object(out);
}

static int metrics_write(Collection *collection, Form form, JsonOut *out) {
    int result = collection_grow(collection, 1);
    if (result != OK)
        return result;
    json_begin_object(out, NULL);
    row_write(collection, 0, form, out);
    json_end_object(out);
    return out->text.failed ? ERR_NO_MEMORY : OK;
}

// The plan's layers, by which gradients are named.
typedef struct Layers {
    JobRow row;
    Document *document;
} Layers;

static void layers_finish(Layers *layers) {
    document_destroy(layers->document);
    job_row_finish(&layers->row);
}

static int layers_read(Store *store, const char *job, Layers *ret_layers) {
    Layers layers = {0};
    Issues issues;
    int result = jobs_get(store, job, &layers.row);
    if (result != OK)
        return result;
    issues_init(&issues);
    if (layers.row.plan != NULL)
        result = document_parse(layers.row.plan, strlen(layers.row.plan), NULL, &issues,
                                &layers.document);
    issues_finish(&issues);
    if (result != OK) {
        layers_finish(&layers);
        return result;
    }
    *ret_layers = layers;
    return OK;
}

static Value layer_first(const Layers *layers) {
    return layers->document == NULL
               ? VALUE_NONE
               : value_child(value_member(document_root(layers->document), "layers"));
}

static bool row_empty(const Collection *collection, size_t row) {
    for (int i = 0; i < collection->columns; i++) {
        if (collection->series[row * (size_t)collection->columns + (size_t)i].count > 0)
            return false;
    }
    return true;
}

static int gradients_write(const Collection *collection, const Layers *layers, Form form,
                           JsonOut *out) {
    Value layer = layer_first(layers);
    json_begin_object(out, NULL);
    json_begin_array(out, "layers");
    for (size_t row = 0; row < collection->rows; row++) {
        if (!row_empty(collection, row)) {
            json_begin_object(out, NULL);
            json_string(out, "name", value_string(value_member(layer, "name")));
            json_string(out, "type", value_string(value_member(layer, "type")));
            json_integer(out, "index", (int64_t)row);
            json_integer(out, "parameters",
                         (int64_t)value_number(value_member(layer, "parameters")));
            row_write(collection, row, form, out);
            json_end_object(out);
        }
        if (layer.node != NULL)
            layer = value_next(layer);
    }
    json_end_array(out);
    json_end_object(out);
    return out->text.failed ? ERR_NO_MEMORY : OK;
}

int series_write_metrics(Store *store, const char *job, const SeriesQuery *query, JsonOut *out) {
    Collection collection;
    int result = collection_read(store, job, "metrics", query, &collection);
    if (result != OK)
        return result;
    result = metrics_write(&collection, form_of(query), out);
    collection_finish(&collection);
    return result;
}

int series_write_gradients(Store *store, const char *job, const SeriesQuery *query, JsonOut *out) {
    Collection collection;
    Layers layers;
    int result = layers_read(store, job, &layers);
    if (result != OK)
        return result;
    result = collection_read(store, job, "gradients", query, &collection);
    if (result == OK) {
        result = gradients_write(&collection, &layers, form_of(query), out);
        collection_finish(&collection);
    }
    layers_finish(&layers);
    return result;
}

// ---- events ----

int record_write_event(Store *store, const char *job, const Record *record, JsonOut *out) {
    bool gradients = strcmp(record->kind, "gradients") == 0;
    Collection collection;
    Layers layers;
    if (!gradients && strcmp(record->kind, "metrics") != 0) {
        text_add_bytes(&out->text, record->body, record->length);
        return out->text.failed ? ERR_NO_MEMORY : OK;
    }
    int result = gradients ? collection_init(gradient_names, GRADIENT_COLUMNS, 1, NULL, &collection)
                           : collection_init(metric_names, METRIC_COUNT, 0, NULL, &collection);
    if (result != OK)
        return result;
    collection.scale.first = 0;
    result = collect(&collection, record);
    if (result == OK && !gradients)
        result = metrics_write(&collection, (Form){0}, out);
    if (result == OK && gradients) {
        result = layers_read(store, job, &layers);
        if (result == OK) {
            result = gradients_write(&collection, &layers, (Form){0}, out);
            layers_finish(&layers);
        }
    }
    collection_finish(&collection);
    return result;
}

// ---- CSV ----

static void csv_number(Text *out, double number) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    text_add(out, isnan(number)   ? "NaN"
                  : isinf(number) ? (number > 0 ? "Infinity" : "-Infinity")
                                  : text);
}

// A text and its comma (RFC 4180).
static void csv_field(Text *out, const char *text) {
    bool quoted = text != NULL && strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        text_add_char(out, '"');
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '"')
            text_add_char(out, '"');
        text_add_char(out, *text);
    }
    text_add(out, quoted ? "\"," : ",");
}

static void csv_row(const Collection *collection, size_t row, const char *prefix, Text *out) {
    for (int i = collection->first_column; i < collection->columns; i++) {
        const Series *series = &collection->series[row * (size_t)collection->columns + (size_t)i];
        for (size_t k = 0; k < series->count; k++) {
            const Point *point = &series->points[k];
            text_add_format(out, "%s%s,%lld,", prefix, collection->names[i],
                            (long long)point->step);
            csv_number(out, point->value);
            text_add_char(out, ',');
            csv_number(out, point->minimum);
            text_add_char(out, ',');
            csv_number(out, point->maximum);
            text_add(out, "\r\n");
        }
    }
}

int series_write_metrics_csv(Store *store, const char *job, const SeriesQuery *query, Text *out) {
    Collection collection;
    int result = collection_read(store, job, "metrics", query, &collection);
    if (result != OK)
        return result;
    text_add(out, "series,step,value,min,max\r\n");
    if (collection.rows > 0)
        csv_row(&collection, 0, "", out);
    collection_finish(&collection);
    return out->failed ? ERR_NO_MEMORY : OK;
}

int series_write_gradients_csv(Store *store, const char *job, const SeriesQuery *query, Text *out) {
    Collection collection;
    Layers layers;
    int result = layers_read(store, job, &layers);
    if (result != OK)
        return result;
    result = collection_read(store, job, "gradients", query, &collection);
    if (result != OK) {
        layers_finish(&layers);
        return result;
    }
    text_add(out, "layer,series,step,value,min,max\r\n");
    Value layer = layer_first(&layers);
    for (size_t row = 0; row < collection.rows; row++) {
        Text prefix;
        text_init(&prefix);
        csv_field(&prefix, value_string(value_member(layer, "name")));
        csv_row(&collection, row, text_string(&prefix), out);
        out->failed |= prefix.failed;
        text_finish(&prefix);
        if (layer.node != NULL)
            layer = value_next(layer);
    }
    collection_finish(&collection);
    layers_finish(&layers);
    return out->failed ? ERR_NO_MEMORY : OK;
}
