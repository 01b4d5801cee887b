// Features of mostly zeros are shown as such: {"indices", "values"} of a node.
#include "server/data/graph_rows.h"
#include <math.h>
#include "core/model/graph_data.h"
#include "server/data/text_rows.h"

static const char *const split_names[] = {"train", "validation", "test", NULL}; // by DatasetSplit

static void write_feature(JsonOut *out, float number) {
    if (isnan(number)) {
        json_null(out, NULL);
    } else {
        json_float(out, NULL, number);
    }
}

static void write_features(const GraphData *data, int64_t node, const char *key, JsonOut *out) {
    if (data->first == NULL) {
        json_begin_array(out, key);
        for (int64_t c = 0; c < data->features; c++) {
            write_feature(out, data->value[node * data->features + c]);
        }
        json_end_array(out);
        return;
    }
    json_begin_object(out, key);
    json_begin_array(out, "indices");
    for (int32_t i = data->first[node]; i < data->first[node + 1]; i++) {
        json_integer(out, NULL, data->column[i]);
    }
    json_end_array(out);
    json_begin_array(out, "values");
    for (int32_t i = data->first[node]; i < data->first[node + 1]; i++) {
        write_feature(out, data->value[i]);
    }
    json_end_array(out);
    json_end_object(out);
}

// The first edge whose source is `node` or later: edges are sorted by it.
static int64_t find_edge(const GraphData *data, int64_t node) {
    int64_t low = 0, high = data->edges;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (data->pairs[2 * middle] < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void write_node(const Dataset *dataset, const GraphData *data, int64_t node, JsonOut *out) {
    write_features(data, node, "input", out);
    json_begin_array(out, "neighbors");
    for (int64_t e = find_edge(data, node); e < data->edges && data->pairs[2 * e] == node; e++) {
        json_integer(out, NULL, data->pairs[2 * e + 1]);
    }
    json_end_array(out);
    if (dataset->splits != NULL) {
        json_string(out, "split", split_names[dataset->splits[node]]);
    }
}

static void write_graph(const GraphData *data, int64_t index, JsonOut *out) {
    int64_t first = data->first_node[index], nodes = graph_data_nodes(data, index);
    const int32_t *pair = data->pairs + 2 * data->first_edge[index];
    json_begin_object(out, "input");
    json_begin_array(out, "nodes");
    for (int64_t v = 0; v < nodes; v++) {
        write_features(data, first + v, NULL, out);
    }
    json_end_array(out);
    json_begin_array(out, "edges");
    for (int64_t e = graph_data_edges(data, index); e > 0; e--, pair += 2) {
        json_begin_array(out, NULL);
        json_integer(out, NULL, pair[0]);
        json_integer(out, NULL, pair[1]);
        json_end_array(out);
    }
    json_end_array(out);
    json_boolean(out, "directed", true); // both ways are there where they were not
    json_end_object(out);
}

void graph_row_write(const Dataset *dataset, int64_t row, double *values, JsonOut *out) {
    const GraphData *data = dataset->more;
    if (data->first_node == NULL) {
        write_node(dataset, data, row, out);
    } else {
        write_graph(data, row, out);
    }
    rows_write_target(dataset, row, values, out);
}
