// Many graphs with a target each: sections of core/model/graph_data.h. A batch joins those that it lists into one
// adjacency, their features whole one graph after the other.
#include <stdlib.h>
#include "core/base/error.h"
#include "core/model/graph_data.h"
#include "core/train/forms/form.h"

// What a dataset has beside its sections: the most that so many of its graphs hold.
typedef struct Graphs {
    GraphData data; // first: GraphData is what `more` is to whoever knows no sums
    const int64_t *most_nodes, *most_edges; // [graphs + 1] of the largest n together
} Graphs;

static int descending(const void *a, const void *b) {
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
    return (first < second) - (first > second);
}

// most [graphs + 1]: 0, the largest, the two largest together, …
static const int64_t *sum_largest(Dataset *dataset, const GraphData *data,
                                  int64_t (*size)(const GraphData *data, int64_t index)) {
    int64_t *most = arena_array(&dataset->owned, (size_t)data->graphs + 1, sizeof(int64_t));
    if (most == NULL)
        return NULL;
    for (int64_t g = 0; g < data->graphs; g++)
        most[g + 1] = size(data, g);
    qsort(most + 1, (size_t)data->graphs, sizeof(*most), descending);
    for (int64_t g = 0; g < data->graphs; g++)
        most[g + 1] += most[g];
    return most;
}

static int graphs_open(Dataset *dataset) {
    Graphs *graphs = arena_new(&dataset->owned, Graphs);
    if (graphs == NULL)
        return ERR_NO_MEMORY;
    GraphData *data = &graphs->data;
    int error = dataset->task.kind == TASK_LANGUAGE_MODEL
                    ? ERR_DAMAGED
                    : graph_data_load(dataset->archive, true, data);
    if (error != OK)
        return error;
    graphs->most_nodes = sum_largest(dataset, data, graph_data_nodes);
    graphs->most_edges = sum_largest(dataset, data, graph_data_edges);
    if (graphs->most_nodes == NULL || graphs->most_edges == NULL)
        return ERR_NO_MEMORY;
    dataset->more = graphs;
    dataset->rows = data->graphs;
    dataset->task.rows = ROWS_GRAPHS;
    dataset->task.input = SHAPE(data->features);
    return form_read_targets(dataset, data->graphs, false);
}

static void graphs_extent(const Job *job, int64_t rows, PlanOptions *options) {
    const Graphs *graphs = job_dataset(job)->more;
    options->max_nodes = graphs->most_nodes[rows];
    options->max_edges = graphs->most_edges[rows];
}

static int graphs_fit_inputs(const Job *job, Scaler *ret_scaler) {
    const Graphs *graphs = job_dataset(job)->more;
    return graph_data_fit(&graphs->data, job_training(job)->standardize, job_rows(job)->train,
                          job_rows(job)->train_count, ret_scaler);
}

static void graphs_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const Graphs *graphs = job_dataset(batch->job)->more;
    const GraphData *data = &graphs->data;
    adjacency_clear(&batch->graphs);
    for (int64_t i = 0; i < count; i++) {
        Real *inputs = batch->inputs.data + batch->graphs.adjacency.nodes * data->features;
        graph_data_fill(data, data->first_node[rows[i]], graph_data_nodes(data, rows[i]),
                        &batch->scalers->input, inputs);
        graph_data_join(data, rows[i], &batch->graphs);
    }
    adjacency_close(&batch->graphs);
    batch->inputs.shape.dim[0] = batch->graphs.adjacency.nodes;
    form_gather_targets(batch, rows, count);
}

const FormDesc form_graphs = {
    .desc = {.name = "graphs", .summary = "many graphs, with a target each"},
    .open = graphs_open,
    .align = form_align_nodes,
    .extent = graphs_extent,
    .fit_inputs = graphs_fit_inputs,
    .gather = graphs_gather,
};
