// One graph, whose nodes have targets: sections of core/model/graph_data.h, and a class of −1, or NaN, for a node without
// one.
//
// Every pass runs the whole graph: a batch is its nodes, features and edges, filled once, and a list of the nodes whose
// targets count. Nodes without a target are in no split. Features of mostly zeros stay so where the model can read them.
// Where steps augment the features, these are dense, and filled for each.
#include <math.h>
#include "core/base/error.h"
#include "core/model/graph_data.h"
#include "core/train/forms/form.h"
#include "core/train/job_private.h"

static bool has_target(const Dataset *dataset, int64_t node) {
    if (dataset->classes != NULL)
        return dataset->classes[node] >= 0;
    int64_t width = dataset->task.outputs;
    for (int64_t c = 0; c < width; c++)
        if (isnan(dataset->values[node * width + c]))
            return false;
    return true;
}

static int graph_open(Dataset *dataset) {
    GraphData *data = arena_new(&dataset->owned, GraphData);
    if (data == NULL)
        return ERR_NO_MEMORY;
    int error = dataset->task.kind == TASK_LANGUAGE_MODEL
                    ? ERR_DAMAGED
                    : graph_data_load(dataset->archive, false, data);
    if (error != OK)
        return error;
    dataset->more = data;
    dataset->rows = data->nodes;
    dataset->task.rows = ROWS_NODES;
    dataset->task.input = SHAPE(data->features);
    error = form_read_targets(dataset, data->nodes, true);
    for (int64_t v = 0; error == OK && v < data->nodes; v++)
        if (!has_target(dataset, v) &&
            (dataset->splits == NULL || dataset->splits[v] != SPLIT_NONE))
            error = ERR_DAMAGED;
    return error;
}

static int graph_judge(Job *job, int split) {
    const Dataset *dataset = job_dataset(job);
    job->row_numbers = memory_array((size_t)dataset->rows, sizeof(int32_t));
    if (job->row_numbers == NULL)
        return ERR_NO_MEMORY;
    job->rows.test = job->row_numbers;
    for (int64_t v = 0; v < dataset->rows; v++)
        if (form_in_split(dataset, v, split) && has_target(dataset, v))
            job->row_numbers[job->rows.test_count++] = (int32_t)v;
    return OK;
}

static bool is_augmented(const Job *job) {
    return job_training(job)->augment.count > 0;
}

static void graph_extent(const Job *job, int64_t rows, PlanOptions *options) {
    (void)rows;
    const GraphData *data = job_dataset(job)->more;
    options->max_rows = 1;
    options->max_nodes = data->nodes;
    options->max_edges = data->edges;
    if (data->first != NULL && !is_augmented(job) &&
        graph_takes_pattern(model_graph(job_model(job)), options->output))
        options->max_entries = data->numbers > 0 ? data->numbers : 1;
}

static int graph_fit_inputs(const Job *job, Scaler *ret_scaler) {
    return graph_data_fit(job_dataset(job)->more, job_training(job)->standardize, NULL, 0,
                          ret_scaler);
}

static int graph_prepare(Batch *batch) {
    const GraphData *data = job_dataset(batch->job)->more;
    const Scaler *scaler = &batch->scalers->input;
    PlanOptions options = job_plan_options(batch->job, batch->max_rows, false);
    adjacency_clear(&batch->graphs);
    graph_data_join(data, 0, &batch->graphs);
    adjacency_close(&batch->graphs);
    batch->inputs.shape.dim[0] = data->nodes;
    if (options.max_entries == 0) {
        graph_data_fill(data, 0, data->nodes, scaler, batch->inputs.data);
        return OK;
    }
    graph_data_fill_numbers(data, scaler, batch->inputs.data);
    return pattern_create(data->nodes, data->features, data->first, data->column, &batch->pattern);
}

static void graph_gather(Batch *batch, const int32_t *rows, int64_t count) {
    const GraphData *data = job_dataset(batch->job)->more;
    batch->inputs.shape.dim[0] = data->nodes;
    if (is_augmented(batch->job))
        graph_data_fill(data, 0, data->nodes, &batch->scalers->input, batch->inputs.data);
    form_gather_targets(batch, rows, count);
}

const FormDesc form_graph = {
    .desc = {.name = "graph", .summary = "one graph, with a target for some or all of its nodes"},
    .open = graph_open,
    .judge = graph_judge,
    .align = form_align_nodes,
    .extent = graph_extent,
    .fit_inputs = graph_fit_inputs,
    .prepare = graph_prepare,
    .gather = graph_gather,
};
