// What a job will cost, said before it runs: parameters, arithmetic, memory and time.
//
// Time is an estimate from round figures of one core of a present-day server processor; a job's own
// samples_per_second replaces it once it runs.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/batches.h"
#include "core/train/job_private.h"

static const double core_flops = 4e10;       // a second and thread, over all shapes of products
static const double memory_bandwidth = 1e10; // bytes a second, of the weights' update
static const double node_seconds = 4e-7;     // of a step, for each node that it visits

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

// Of a phase; `flops` are those of a step on the largest batch.
static double phase_seconds(const Job *job, const JobPhase *phase, double flops) {
    const Graph *graph = model_graph(job->model);
    bool whole = job->task.rows == ROWS_NODES; // each pass runs all nodes, whichever count
    double share = whole ? 1 : (double)phase->batch_rows / (double)job_batch_rows(job);
    // The optimizer reads and writes weights and slots and reads gradients.
    double bytes =
        (double)(graph_learned(graph) * sizeof(Real)) * (3 + 2 * (double)phase_slots(phase));
    double step = flops * share / (core_flops * job->threads) + bytes / memory_bandwidth +
                  graph_nodes(graph) * node_seconds;
    // Validation goes forward only: a third of a step's arithmetic for each of its rows.
    double validation = (double)job->rows.validation_count / (double)phase->batch_rows;
    validation = step / 3 * (whole ? validation > 0 : validation);
    double steps = (double)(phase->end - phase->begin);
    return step * steps + validation * ceil(steps / (double)phase->steps_per_epoch);
}

static double estimate_seconds(const Job *job, double flops) {
    double seconds = 0;
    for (size_t i = 0; i < job->phase_count; i++)
        seconds += phase_seconds(job, &job->phases[i], flops);
    return seconds;
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
    int error = step_flops(job, flops, &all);
    if (error != OK)
        return error;
    const JobMemory memory = job_memory(job, job_batch_rows(job));
    write_begin_object(out, key);
    write_integer(out, "parameters", model_parameters(job->model));
    write_begin_array(out, "layers");
    for (int i = 0; i < model_layers(job->model); i++)
        write_layer(job, i, flops[i], out);
    write_end_array(out);
    write_number(out, "flops_per_step", all);
    write_memory(&memory, out);
    write_integer(out, "steps", job_steps(job));
    write_number(out, "estimated_seconds", estimate_seconds(job, all));
    write_end_object(out);
    return OK;
}
