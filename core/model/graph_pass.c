// Features of mostly zeros stay so where the model can read them.
#include "core/model/graph_pass.h"
#include "core/base/error.h"

static int join_graphs(GraphPass *pass, const GraphData *data) {
    int error = adjacency_init(&pass->graphs, data->nodes, data->graphs, data->edges);
    for (int64_t g = 0; error == OK && g < data->graphs; g++)
        graph_data_join(data, g, &pass->graphs);
    if (error == OK)
        adjacency_close(&pass->graphs);
    return error;
}

static int fill_inputs(GraphPass *pass, const PlanOptions *options, const Scaler *scaler,
                       const GraphData *data) {
    size_t inputs = (size_t)options->max_entries;
    if (inputs == 0 && !size_multiply((size_t)data->nodes, (size_t)data->features, &inputs))
        return ERR_TOO_LARGE;
    pass->inputs = memory_array(inputs, sizeof(Real));
    if (pass->inputs == NULL)
        return ERR_NO_MEMORY;
    if (options->max_entries == 0) {
        graph_data_fill(data, 0, data->nodes, scaler, pass->inputs);
        return OK;
    }
    graph_data_fill_numbers(data, scaler, pass->inputs);
    return pattern_create(data->nodes, data->features, data->first, data->column, &pass->pattern);
}

int graph_pass_run(GraphPass *pass, const Model *model, Real *weights, const Scaler *scaler,
                   const GraphData *data) {
    *pass = (GraphPass){0};
    PlanOptions options = {.max_rows = data->graphs,
                           .max_nodes = data->nodes,
                           .max_edges = data->edges,
                           .output = model_output(model)};
    if (data->first != NULL && graph_takes_pattern(model_graph(model), options.output))
        options.max_entries = data->numbers > 0 ? data->numbers : 1;
    int error = plan_create(model_graph(model), &options, &pass->plan); // tells what is too large
    if (error == OK)
        error = join_graphs(pass, data);
    if (error == OK)
        error = fill_inputs(pass, &options, scaler, data);
    if (error != OK)
        return error;
    const OpContext context = {.adjacency = &pass->graphs.adjacency, .pattern = pass->pattern};
    const Tensor input = {pass->inputs, SHAPE(data->nodes, data->features)};
    plan_forward(pass->plan, &context, NULL, &input, weights, &pass->output);
    return OK;
}

void graph_pass_finish(GraphPass *pass) {
    plan_destroy(pass->plan);
    adjacency_finish(&pass->graphs);
    pattern_destroy(pass->pattern);
    memory_free(pass->inputs);
    *pass = (GraphPass){0};
}
