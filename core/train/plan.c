// What a job will cost, said before it runs: parameters, arithmetic, memory and time.
//
// Time is an estimate from round figures of one core of a present-day server processor; a job's own
// samples_per_second replaces it once it runs.
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/augment.h"
#include "core/train/job_private.h"

static const double core_flops = 4e10;       // a second and thread, over all shapes of products
static const double memory_bandwidth = 1e10; // bytes a second, of the weights' update
static const double node_seconds = 4e-7;     // of a step, for each node that it visits

// Flops of the layer in one step, forward and backward.
static double layer_flops(const Job *job, int layer) {
    const Graph *graph = model_graph(job->model);
    PlanOptions options = job_plan_options(job, job_batch_rows(job), true);
    double flops = 0;
    for (int i = 0; i < graph_nodes(graph); i++)
        if (graph_node(graph, i)->layer == layer) {
            OpCost cost = plan_node_cost(graph, &options, i);
            flops += cost.forward_flops + cost.backward_flops;
        }
    return flops;
}

static double step_flops(const Job *job) {
    double flops = 0;
    for (int i = 0; i < model_layers(job->model); i++)
        flops += layer_flops(job, i);
    return flops;
}

static size_t activation_bytes(const Job *job, int64_t rows, bool backward) {
    PlanOptions options = job_plan_options(job, rows, backward);
    PlanCost cost;
    if (plan_cost(model_graph(job->model), &options, &cost) != OK)
        return SIZE_MAX;
    size_t total;
    return size_add(batch_bytes(job, rows), cost.activation_bytes, &total) ? total : SIZE_MAX;
}

// Saturates: what overflows cannot fit either.
static size_t sum(size_t a, size_t b) {
    size_t total;
    return size_add(a, b, &total) ? total : SIZE_MAX;
}

size_t job_memory_bytes(const Job *job) {
    const Graph *graph = model_graph(job->model);
    size_t weights = graph_weight_elements(graph) * sizeof(Real);
    size_t learned = graph_learned(graph) * sizeof(Real);
    bool keeps_best = job->training.stop != NULL && job->training.stop->restore_best;
    size_t bytes = sum(weights * (keeps_best ? 2 : 1), learned * (size_t)(1 + job_slots(job)));
    bytes = sum(bytes, activation_bytes(job, job_batch_rows(job), true));
    int64_t rows = evaluation_rows(job);
    if (rows > 0)
        bytes = sum(bytes, activation_bytes(job, rows, false));
    const JobRows *numbers = &job->rows; // and an epoch's order of those that train
    int64_t listed = 2 * numbers->train_count + numbers->validation_count + numbers->test_count;
    bytes = sum(bytes, (size_t)listed * sizeof(int32_t));
    bytes = sum(bytes, augmenter_bytes(job));
    if (job->initial != NULL)
        bytes = sum(bytes, archive_bytes(job->initial));
    return sum(bytes, archive_bytes(job->dataset->archive));
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

static void write_layer(const Job *job, int index, const ValueWriter *out) {
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
    write_number(out, "flops", layer_flops(job, index));
    write_end_object(out);
}

void job_write_plan(const Job *job, const char *key, const ValueWriter *out) {
    double flops = step_flops(job);
    write_begin_object(out, key);
    write_integer(out, "parameters", model_parameters(job->model));
    write_begin_array(out, "layers");
    for (int i = 0; i < model_layers(job->model); i++)
        write_layer(job, i, out);
    write_end_array(out);
    write_number(out, "flops_per_step", flops);
    write_number(out, "memory_bytes", (double)job_memory_bytes(job));
    write_integer(out, "steps", job_steps(job));
    write_number(out, "estimated_seconds", estimate_seconds(job, flops));
    write_end_object(out);
}
