// What a job will cost, said before it runs: parameters, arithmetic, memory (job_memory.c) and time (job_seconds.c).
#include "core/base/error.h"
#include "core/train/batches.h"
#include "core/train/job_private.h"

// Flops of a step on the largest batch, forward and backward: of each layer [model_layers], and of all.
static int step_flops(const Job *job, double *layers, double *ret_all) {
    const Graph *graph = model_graph(job->model);
    PlanOptions options = job_plan_options(job, job_batch_rows(job), true);
    PlanCost cost;
    AUTO_FREE OpCost *nodes = memory_array((size_t)graph_nodes(graph), sizeof(OpCost));
    if (nodes == NULL)
        return ERR_NO_MEMORY;
    int error = plan_cost(graph, &options, nodes, &cost);
    if (error != OK)
        return error;
    for (int i = 0; i < graph_nodes(graph); i++)
        if (graph_node(graph, i)->layer >= 0)
            layers[graph_node(graph, i)->layer] += nodes[i].forward_flops + nodes[i].backward_flops;
    *ret_all = cost.forward_flops + cost.backward_flops;
    return OK;
}

static void write_layer(const Job *job, int index, double flops, const ValueWriter *out) {
    const ModelLayer *layer = model_layer(job->model, index);
    const Shape *shape = &graph_node(model_graph(job->model), layer->output)->shape;
    write_begin_object(out, NULL);
    write_string(out, "name", layer->name);
    write_string(out, "type", layer->desc->desc.name);
    write_begin_array(out, "output_shape");
    for (int i = 0; i < shape->rank; i++)
        write_integer(out, NULL, shape->dim[i]);
    write_end_array(out);
    write_integer(out, "parameters", layer->parameters);
    write_number(out, "flops", flops);
    write_end_object(out);
}

static void write_memory(const JobMemory *memory, const ValueWriter *out) {
    write_number(out, "memory_bytes", (double)memory->total);
    write_begin_object(out, "memory");
    write_number(out, "weights", (double)memory->weights);
    write_number(out, "gradients", (double)memory->gradients);
    write_number(out, "optimizer", (double)memory->optimizer);
    write_number(out, "activations", (double)memory->activations);
    write_number(out, "evaluation", (double)memory->evaluation);
    write_number(out, "dataset", (double)memory->dataset);
    write_number(out, "runtime", (double)memory->runtime);
    write_end_object(out);
}

int job_write_plan(const Job *job, const char *key, const ValueWriter *out) {
    AUTO_FREE double *flops = memory_array((size_t)model_layers(job->model), sizeof(double));
    double all;
    if (flops == NULL)
        return ERR_NO_MEMORY;
    JobMemory memory;
    int error = step_flops(job, flops, &all);
    if (error == OK)
        error = job_memory(job, job_batch_rows(job), &memory);
    if (error != OK)
        return error;
    write_begin_object(out, key);
    write_integer(out, "parameters", model_parameters(job->model));
    write_begin_array(out, "layers");
    for (int i = 0; i < model_layers(job->model); i++)
        write_layer(job, i, flops[i], out);
    write_end_array(out);
    write_number(out, "flops_per_step", all);
    write_memory(&memory, out);
    write_integer(out, "steps", job_steps(job));
    write_number(out, "estimated_seconds", job_seconds(job));
    write_end_object(out);
    return OK;
}
