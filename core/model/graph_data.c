// Reading graphs: every number is checked against its bounds once, so that nothing asks again.
#include "core/model/graph_data.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static const char *const sections[] = {"inputs",          "features.width", "features.first",
                                       "features.column", "features.value", "edges"};

// A section of i32 [count], or [count, 2] for pairs; NULL where it is not. count < 0: any, and ret_count has it.
static const int32_t *integers(const Archive *archive, const char *name, int rank, int64_t count,
                               int64_t *ret_count) {
    const ArchiveSection *section = archive_typed(archive, name, ARCHIVE_I32);
    if (section == NULL || section->rank != rank || (rank == 2 && section->dims[1] != 2) ||
        section->dims[0] >= INT32_MAX || (count >= 0 && section->dims[0] != count))
        return NULL;
    *ret_count = section->dims[0];
    return section->data;
}

// Whether first [count + 1] climbs from 0 to `end`, by `least` at each step.
static bool climbs(const int32_t *first, int64_t count, int64_t end, int32_t least) {
    if (first[0] != 0 || first[count] != end)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (first[i + 1] < first[i] || first[i + 1] - first[i] < least)
            return false;
    return true;
}

static int load_whole(const ArchiveSection *inputs, GraphData *data) {
    if (inputs->type != ARCHIVE_F32 || inputs->rank != 2 || inputs->dims[0] < 1 ||
        inputs->dims[0] >= INT32_MAX || inputs->dims[1] < 1 || inputs->dims[1] >= INT32_MAX)
        return ERR_DAMAGED;
    data->nodes = inputs->dims[0];
    data->features = inputs->dims[1];
    data->numbers = data->nodes * data->features;
    data->value = inputs->data;
    return OK;
}

static int load_sparse(const Archive *archive, GraphData *data) {
    const ArchiveSection *width = archive_typed(archive, "features.width", ARCHIVE_I64);
    const ArchiveSection *value = archive_typed(archive, "features.value", ARCHIVE_F32);
    int64_t count = 0;
    if (width == NULL || width->rank != 1 || width->dims[0] != 1 || value == NULL ||
        value->rank != 1 || value->dims[0] >= INT32_MAX)
        return ERR_DAMAGED;
    memcpy(&data->features, width->data, sizeof(data->features));
    data->numbers = value->dims[0];
    data->value = value->data;
    data->first = integers(archive, "features.first", 1, -1, &count);
    data->nodes = count - 1;
    data->column = integers(archive, "features.column", 1, data->numbers, &count);
    if (data->features < 1 || data->features >= INT32_MAX || data->first == NULL ||
        data->column == NULL || data->nodes < 1 ||
        !climbs(data->first, data->nodes, data->numbers, 0))
        return ERR_DAMAGED;
    for (int64_t v = 0; v < data->nodes; v++)
        for (int32_t i = data->first[v]; i < data->first[v + 1]; i++)
            if (data->column[i] < 0 || data->column[i] >= data->features ||
                (i > data->first[v] && data->column[i] <= data->column[i - 1]) ||
                !isfinite(data->value[i]))
                return ERR_DAMAGED;
    return OK;
}

static bool comes_before(const int32_t *a, const int32_t *b) {
    return a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]);
}

static int load_edges(const Archive *archive, bool several, GraphData *data) {
    data->graphs = 1;
    data->pairs = integers(archive, "edges", 2, -1, &data->edges);
    if (data->pairs == NULL)
        return ERR_DAMAGED;
    if (several) {
        int64_t count = 0;
        data->first_node = integers(archive, "graphs.first_node", 1, -1, &count);
        data->graphs = count - 1;
        data->first_edge = integers(archive, "graphs.first_edge", 1, count, &count);
        if (data->first_node == NULL || data->first_edge == NULL || data->graphs < 1 ||
            !climbs(data->first_node, data->graphs, data->nodes, 1) ||
            !climbs(data->first_edge, data->graphs, data->edges, 0))
            return ERR_DAMAGED;
    }
    const int32_t *pair = data->pairs;
    for (int64_t g = 0; g < data->graphs; g++) {
        int64_t nodes = graph_data_nodes(data, g);
        const int32_t *end = pair + 2 * graph_data_edges(data, g), *first = pair;
        for (; pair < end; pair += 2)
            if (pair[0] < 0 || pair[0] >= nodes || pair[1] < 0 || pair[1] >= nodes ||
                pair[0] == pair[1] || (pair > first && !comes_before(pair - 2, pair)))
                return ERR_DAMAGED;
    }
    return OK;
}

int graph_data_load(const Archive *archive, bool several, GraphData *ret_data) {
    const ArchiveSection *inputs = archive_find(archive, "inputs");
    GraphData data = {0};
    int error = inputs != NULL ? load_whole(inputs, &data) : load_sparse(archive, &data);
    if (error == OK)
        error = load_edges(archive, several, &data);
    if (error == OK)
        *ret_data = data;
    return error;
}

int graph_data_copy(const Archive *archive, ArchiveWriter *writer) {
    int error = OK;
    for (size_t i = 0; error == OK && i < ARRAY_LENGTH(sections); i++) {
        const ArchiveSection *section = archive_find(archive, sections[i]);
        if (section != NULL)
            error = archive_add(writer, sections[i], section->type, section->rank, section->dims,
                                section->data);
    }
    return error;
}

int64_t graph_data_nodes(const GraphData *data, int64_t index) {
    return data->first_node == NULL ? data->nodes
                                    : data->first_node[index + 1] - data->first_node[index];
}

int64_t graph_data_edges(const GraphData *data, int64_t index) {
    return data->first_edge == NULL ? data->edges
                                    : data->first_edge[index + 1] - data->first_edge[index];
}

void graph_data_join(const GraphData *data, int64_t index, AdjacencyBuffer *buffer) {
    int64_t first = data->first_edge == NULL ? 0 : data->first_edge[index];
    adjacency_add(buffer, graph_data_nodes(data, index), data->pairs + 2 * first,
                  graph_data_edges(data, index));
}

// ---- features ----

static Real scaled(const Scaler *scaler, int64_t column, float value) {
    int64_t k = column % scaler->width;
    return (Real)((value - scaler->offset[k]) * scaler->factor[k]);
}

void graph_data_fill(const GraphData *data, int64_t begin, int64_t nodes, const Scaler *scaler,
                     Real *z) {
    int64_t width = data->features;
    if (data->first == NULL) {
        scaler_apply(scaler, data->value + begin * width, z, nodes, width);
        return;
    }
    memset(z, 0, (size_t)(nodes * width) * sizeof(Real));
    for (int64_t v = 0; v < nodes; v++)
        for (int32_t i = data->first[begin + v]; i < data->first[begin + v + 1]; i++)
            z[v * width + data->column[i]] = scaled(scaler, data->column[i], data->value[i]);
}

void graph_data_fill_numbers(const GraphData *data, const Scaler *scaler, Real *z) {
    for (int64_t i = 0; i < data->numbers; i++)
        z[i] = scaled(scaler, data->column[i], data->value[i]);
}

// ---- fitting ----

// The nodes of the graphs listed: ret_nodes [ret_count] (memory_free).
static int list_nodes(const GraphData *data, const int32_t *graphs, int64_t count,
                      int32_t **ret_nodes, int64_t *ret_count) {
    int64_t nodes = 0;
    for (int64_t i = 0; i < count; i++)
        nodes += graph_data_nodes(data, graphs[i]);
    int32_t *list = memory_array((size_t)nodes, sizeof(int32_t)), *at = list;
    if (list == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        int32_t first = data->first_node == NULL ? 0 : data->first_node[graphs[i]];
        for (int64_t v = 0; v < graph_data_nodes(data, graphs[i]); v++)
            *at++ = first + (int32_t)v;
    }
    *ret_nodes = list;
    *ret_count = nodes;
    return OK;
}

// factor = 1 / deviation over the nodes, zeros counted; 1 where it is 0.
static int fit_sparse(const GraphData *data, const int32_t *nodes, int64_t count,
                      Scaler *ret_scaler) {
    AUTO_FREE double *sums = memory_array(2 * (size_t)data->features, sizeof(double));
    if (sums == NULL)
        return ERR_NO_MEMORY;
    double *squares = sums + data->features;
    int error = scaler_identity(data->features, ret_scaler);
    if (error != OK)
        return error;
    for (int64_t k = 0; k < count; k++)
        for (int32_t i = data->first[nodes[k]]; i < data->first[nodes[k] + 1]; i++) {
            sums[data->column[i]] += data->value[i];
            squares[data->column[i]] += (double)data->value[i] * (double)data->value[i];
        }
    for (int64_t c = 0; c < data->features; c++) {
        double mean = sums[c] / (double)count;
        double variance = squares[c] / (double)count - mean * mean;
        if (variance > 1e-12 * squares[c] / (double)count)
            ret_scaler->factor[c] = (float)(1 / sqrt(variance));
    }
    return OK;
}

int graph_data_fit(const GraphData *data, bool standardize, const int32_t *graphs, int64_t count,
                   Scaler *ret_scaler) {
    static const int32_t the_one = 0;
    if (data->first != NULL && !standardize)
        return scaler_identity(1, ret_scaler);
    AUTO_FREE int32_t *nodes = NULL;
    int64_t node_count;
    bool one = data->first_node == NULL;
    int error = list_nodes(data, one ? &the_one : graphs, one ? 1 : count, &nodes, &node_count);
    if (error != OK)
        return error;
    if (data->first != NULL)
        return fit_sparse(data, nodes, node_count, ret_scaler);
    return scaler_fit(standardize ? SCALER_STANDARD : SCALER_IDENTITY, data->value, data->features,
                      nodes, node_count, ret_scaler);
}
