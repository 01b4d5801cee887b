#include "core/model/drift.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/tokens/vocabulary.h"

enum {
    IMAGE_NUMBERS = 2, // mean, deviation
    TEXT_NUMBERS = 2,  // tokens, share of unknown ones
    GRAPH_NUMBERS = 2, // nodes, edges
    GRAPH_FEATURES_MAX = 256,
    OUTSIDE_RANGES = 3,
};
static const double SIGNIFICANCE = 1e-4, INDEX_LEAST = 0.25;

// ---- the reference ----

int drift_load(const Archive *archive, DriftReference *ret_reference) {
    const ArchiveSection *rows = archive_typed(archive, "drift.rows", ARCHIVE_I64);
    const ArchiveSection *counts = archive_typed(archive, "drift.counts", ARCHIVE_I32);
    const ArchiveSection *edges = archive_typed(archive, "drift.edges", ARCHIVE_F32);
    const ArchiveSection *range = archive_typed(archive, "drift.range", ARCHIVE_F32);
    if (rows == NULL)
        return ERR_NOT_FOUND;
    if (counts == NULL || edges == NULL || range == NULL || rows->rank != 1 || rows->dims[0] != 1 ||
        counts->rank != 2 || counts->dims[1] != DRIFT_BINS || edges->rank != 2 ||
        edges->dims[0] != counts->dims[0] || edges->dims[1] != DRIFT_EDGES || range->rank != 2 ||
        range->dims[0] != counts->dims[0] || range->dims[1] != 2)
        return ERR_DAMAGED;
    *ret_reference = (DriftReference){.features = counts->dims[0],
                                      .rows = *(const int64_t *)rows->data,
                                      .counts = counts->data,
                                      .edges = edges->data,
                                      .range = range->data};
    return OK;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Deciles of the sorted numbers, those that tell numbers apart.
static void find_edges(const double *sorted, int64_t count, float *edges) {
    int found = 0;
    for (int i = 0; i < DRIFT_EDGES; i++)
        edges[i] = NAN;
    if (count == 0)
        return;
    if (sorted[0] == sorted[count - 1]) { // below, the one number, and above
        edges[1] = (float)sorted[0];
        edges[0] = nextafterf(edges[1], -INFINITY);
        return;
    }
    for (int i = 1; i <= DRIFT_EDGES; i++) {
        float edge = (float)sorted[(int64_t)((double)(count * i) / (DRIFT_EDGES + 1))];
        if ((double)edge < sorted[count - 1] && (found == 0 || edge > edges[found - 1]))
            edges[found++] = edge;
    }
    if (found == 0) // nearly all are the greatest
        edges[0] = (float)sorted[0];
}

static int bin_of(const float *edges, double number) {
    int bin = 0;
    for (int i = 0; i < DRIFT_EDGES; i++) // to the end: a way out would be guessed wrong most times
        bin += number > (double)edges[i];
    return isnan(number) ? DRIFT_MISSING : bin;
}

// One feature: numbers at a stride of `features`. sorted [rows] is for its use.
static void describe(const double *numbers, int64_t rows, int64_t features, double *sorted,
                     int32_t *counts, float *edges, float *range) {
    int64_t known = 0;
    for (int64_t r = 0; r < rows; r++)
        if (!isnan(numbers[r * features]))
            sorted[known++] = numbers[r * features];
    qsort(sorted, (size_t)known, sizeof *sorted, compare);
    find_edges(sorted, known, edges);
    range[0] = known > 0 ? (float)sorted[0] : 0;
    range[1] = known > 0 ? (float)sorted[known - 1] : 0;
    for (int64_t r = 0; r < rows; r++)
        counts[bin_of(edges, numbers[r * features])]++;
}

int drift_save(const double *numbers, int64_t rows, int64_t features, ArchiveWriter *writer) {
    size_t n = (size_t)features;
    AUTO_FREE double *sorted = memory_array((size_t)rows, sizeof *sorted);
    AUTO_FREE int32_t *counts = memory_array(n * DRIFT_BINS, sizeof *counts);
    AUTO_FREE float *edges = memory_array(n * DRIFT_EDGES, sizeof *edges);
    AUTO_FREE float *range = memory_array(n * 2, sizeof *range);
    if (sorted == NULL || counts == NULL || edges == NULL || range == NULL)
        return ERR_NO_MEMORY;
    for (int64_t f = 0; f < features; f++)
        describe(numbers + f, rows, features, sorted, counts + f * DRIFT_BINS,
                 edges + f * DRIFT_EDGES, range + f * 2);
    const int64_t one = 1, bins[] = {features, DRIFT_BINS}, ends[] = {features, DRIFT_EDGES},
                  bounds[] = {features, 2};
    int error = archive_add(writer, "drift.rows", ARCHIVE_I64, 1, &one, &rows);
    if (error == OK)
        error = archive_add(writer, "drift.counts", ARCHIVE_I32, 2, bins, counts);
    if (error == OK)
        error = archive_add(writer, "drift.edges", ARCHIVE_F32, 2, ends, edges);
    return error == OK ? archive_add(writer, "drift.range", ARCHIVE_F32, 2, bounds, range) : error;
}

// ---- what describes a row ----

int64_t drift_width(const Task *task, const Forecast *forecast) {
    int64_t width = shape_elements(&task->input);
    if (task->kind == TASK_LANGUAGE_MODEL || task->rows == ROWS_NODES)
        return 0;
    if (task->rows == ROWS_SEQUENCES)
        return TEXT_NUMBERS;
    if (task->rows == ROWS_GRAPHS)
        return GRAPH_NUMBERS + (width <= GRAPH_FEATURES_MAX ? width : 0);
    if (forecast == NULL && task->input.rank > 1)
        return IMAGE_NUMBERS;
    width = forecast != NULL ? forecast->columns : width;
    return width <= DRIFT_FEATURES_MAX ? width : 0;
}

static void describe_image(const float *numbers, int64_t count, double *ret) {
    double sum = 0, squares = 0, known = 0;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(numbers[i]))
            continue;
        sum += (double)numbers[i];
        known++;
    }
    double mean = known > 0 ? sum / known : NAN;
    for (int64_t i = 0; i < count; i++)
        if (!isnan(numbers[i]))
            squares += ((double)numbers[i] - mean) * ((double)numbers[i] - mean);
    ret[0] = mean;
    ret[1] = known > 0 ? sqrt(squares / known) : NAN;
}

static void describe_text(const float *ids, int64_t length, double *ret) {
    double unknown = 0;
    for (int64_t t = 0; t < length; t++)
        unknown += ids[t] == TOKEN_UNKNOWN;
    ret[0] = (double)length;
    ret[1] = length > 0 ? unknown / (double)length : 0;
}

void drift_describe(const Task *task, const Forecast *forecast, const float *values, int64_t length,
                    float *window, double *ret_numbers) {
    int64_t width = shape_elements(&task->input);
    if (task->rows == ROWS_SEQUENCES) {
        describe_text(values, length, ret_numbers);
        return;
    }
    if (forecast == NULL && task->input.rank > 1) {
        describe_image(values, width, ret_numbers);
        return;
    }
    int64_t columns = forecast != NULL ? forecast->columns : width;
    if (forecast != NULL) {
        forecast_inputs(forecast, values, width / columns, window);
        values = window + width - columns;
    }
    for (int64_t c = 0; c < columns; c++)
        ret_numbers[c] = (double)values[c];
}

// Of features of mostly zeros the stored numbers, the rest is 0; missing ones count as 0.
static void add_means(const GraphData *data, int64_t begin, int64_t nodes, double *means) {
    for (int64_t v = begin; v < begin + nodes; v++) {
        int64_t first = data->first != NULL ? data->first[v] : v * data->features;
        int64_t end = data->first != NULL ? data->first[v + 1] : first + data->features;
        for (int64_t i = first; i < end; i++)
            if (!isnan(data->value[i]))
                means[data->first != NULL ? data->column[i] : i - first] +=
                    (double)data->value[i] / (double)nodes;
    }
}

void drift_describe_graph(const Task *task, const GraphData *data, int64_t graph,
                          double *ret_numbers) {
    int64_t nodes = graph_data_nodes(data, graph);
    int64_t width = drift_width(task, NULL);
    memset(ret_numbers, 0, (size_t)width * sizeof *ret_numbers);
    ret_numbers[0] = (double)nodes;
    ret_numbers[1] = (double)graph_data_edges(data, graph);
    if (width > GRAPH_NUMBERS)
        add_means(data, data->first_node != NULL ? data->first_node[graph] : 0, nodes,
                  ret_numbers + GRAPH_NUMBERS);
}

// ---- counting ----

int drift_counts_init(DriftCounts *counts, int64_t features, bool bins) {
    *counts = (DriftCounts){.outside = memory_array((size_t)features, sizeof *counts->outside)};
    if (bins)
        counts->bins = memory_array((size_t)features * DRIFT_BINS, sizeof *counts->bins);
    if (counts->outside != NULL && (!bins || counts->bins != NULL))
        return OK;
    drift_counts_finish(counts);
    return ERR_NO_MEMORY;
}

void drift_counts_finish(DriftCounts *counts) {
    memory_free(counts->bins);
    memory_free(counts->outside);
    *counts = (DriftCounts){0};
}

static bool is_outside(const float *range, double number) {
    double width = (double)range[1] - (double)range[0], margin = OUTSIDE_RANGES * width;
    bool beyond = number > (double)range[1] + margin, below = number < (double)range[0] - margin;
    return width > 0 && (beyond || below);
}

void drift_count(const DriftReference *reference, const double *numbers, DriftCounts *counts) {
    counts->rows++;
    for (int64_t f = 0; f < reference->features; f++) {
        if (counts->bins != NULL)
            counts->bins[f * DRIFT_BINS + bin_of(reference->edges + f * DRIFT_EDGES, numbers[f])]++;
        counts->outside[f] += is_outside(reference->range + 2 * f, numbers[f]);
    }
}

void drift_counts_add(DriftCounts *counts, const DriftCounts *more, int64_t features) {
    counts->rows += more->rows;
    for (int64_t i = 0; i < features * DRIFT_BINS; i++)
        counts->bins[i] += more->bins[i];
    for (int64_t f = 0; f < features; f++)
        counts->outside[f] += more->outside[f];
}

// The rows are those of the bins again, so that shares stay shares.
void drift_counts_halve(DriftCounts *counts, int64_t features) {
    counts->rows /= 2;
    for (int64_t i = 0; i < features * DRIFT_BINS; i++)
        counts->bins[i] /= 2;
    for (int64_t f = 0; f < features; f++)
        counts->outside[f] /= 2;
}

// ---- testing ----

// Wilson & Hilferty: the cube root of χ² / k is nearly normal.
static double chi_square_p(double square, double degrees) {
    double spread = 2 / (9 * degrees);
    double z = (cbrt(square / degrees) - (1 - spread)) / sqrt(spread);
    return erfc(z / sqrt(2)) / 2;
}

void drift_test(const DriftReference *reference, const DriftCounts *counts, int64_t feature,
                bool distributions, DriftTest *ret_test) {
    const int32_t *before = reference->counts + feature * DRIFT_BINS;
    const int64_t *now = counts->bins + feature * DRIFT_BINS;
    DriftTest test = {.p = 1, .outside = counts->outside[feature] > 0};
    double m = 0, n = 0, square = 0;
    int bins = 0;
    for (int b = 0; b < DRIFT_BINS; b++) {
        m += before[b];
        n += (double)now[b];
        bins += before[b] > 0 || now[b] > 0;
    }
    for (int b = 0; b < DRIFT_BINS && n > 0 && m > 0; b++) {
        double old = before[b], new = (double)now[b];
        if (old + new == 0)
            continue;
        double difference = sqrt(m / n) * new - sqrt(n / m) * old;
        double p = (old + 0.5) / (m + 0.5 * bins), q = (new + 0.5) / (n + 0.5 * bins);
        square += difference * difference / (old + new);
        test.index += (q - p) * log(q / p);
    }
    if (n >= DRIFT_ROWS_MIN && bins > 1)
        test.p = chi_square_p(square, bins - 1);
    test.distribution = distributions && test.index > INDEX_LEAST &&
                        test.p < SIGNIFICANCE / (double)reference->features;
    *ret_test = test;
}
