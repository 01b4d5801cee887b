// How long a job will take, roughly: before it runs only its sizes are known, and not the machine.
//
// A pass takes, for each node of the graph, a fixed time, its arithmetic at the rate of a product, and the numbers that it
// reads and writes at the rate of caches; the optimizer's update goes at the rate of memory, or of the last cache where all
// of it stays there. Work is shared among the threads. An operator that passes over padding has as many steps as the rows
// have on average.
//
// The rates were fitted to ./dev plan's jobs on a server processor with AVX-512, of which they tell the time within a factor of
// 1.2 on average and 2 at most; 3 for graphs, whose edges jump through memory. Another processor, or company on it, changes them
// all alike. Once a job runs, its samples_per_second say more.
#include <math.h>
#include "core/base/error.h"
#include "core/train/batches.h"
#include "core/train/job_private.h"

static const double product_rate = 1.3e11; // flops a second and thread
static const double pass_rate = 9e10;      // bytes of values and gradients a second and thread
static const double memory_rate = 8e9;     // bytes of weights and slots a second and thread …
static const double cache_rate = 1.9e10;   // … where they are fewer than
static const double cache_bytes = 24e6;
static const double call_seconds = 1.5e-7; // of a node, forward or backward
static const double step_seconds = 1e-6;   // of a step's bookkeeping

// What one pass does.
typedef struct Work {
    double flops, bytes, calls;
} Work;

static double elements_of(const Graph *graph, const PlanOptions *options, int node) {
    const GraphNode *at = graph_node(graph, node);
    if (at->op == NULL && options->max_entries > 0) // sparse
        return (double)options->max_entries;
    return (double)(at->per_node ? options->max_nodes : options->max_rows) *
           (double)shape_elements(&at->shape);
}

// How much of the rows' steps is data.
static double filled_share(const Dataset *dataset) {
    double steps = 0;
    if (dataset->lengths == NULL)
        return 1;
    for (int64_t i = 0; i < dataset->rows; i++)
        steps += dataset->lengths[i];
    return steps / ((double)dataset->rows * (double)dataset->task.input.dim[0]);
}

// Backward reads and writes about twice what forward does: values and their gradients.
static Work work_of(const Graph *graph, const PlanOptions *options, const OpCost *costs,
                    double filled) {
    Work work = {0};
    for (int i = 0; i < graph_nodes(graph); i++) {
        const GraphNode *node = graph_node(graph, i);
        if (node->op == NULL)
            continue;
        int passes = options->backward ? 3 : 1;
        double elements = elements_of(graph, options, i);
        for (int k = 0; k < node->inputs; k++)
            elements += elements_of(graph, options, node->input[k]);
        work.flops += (costs[i].forward_flops + costs[i].backward_flops) *
                      (node->op->skips_padding ? filled : 1);
        work.bytes += passes * elements * sizeof(Real);
        work.calls += options->backward ? 2 : 1;
    }
    return work;
}

// Seconds of a pass over `rows` rows; 0 where it cannot be planned at all.
static double pass_seconds(const Job *job, int64_t rows, bool backward) {
    const Graph *graph = model_graph(job->model);
    PlanOptions options = job_plan_options(job, rows, backward);
    AUTO_FREE OpCost *costs = memory_array((size_t)graph_nodes(graph), sizeof(OpCost));
    PlanCost all;
    if (costs == NULL || plan_cost(graph, &options, costs, &all) != OK)
        return 0;
    Work work = work_of(graph, &options, costs, filled_share(job->dataset));
    return work.flops / (product_rate * job->threads) + work.bytes / (pass_rate * job->threads) +
           work.calls * call_seconds;
}

static double phase_seconds(const Job *job, const JobPhase *phase) {
    const Graph *graph = model_graph(job->model);
    double learned = (double)(graph_learned(graph) * sizeof(Real)), slots = phase_slots(phase);
    // The optimizer reads gradients, and reads and writes weights and slots.
    double rate = (2 + slots) * learned > cache_bytes ? memory_rate : cache_rate;
    double update = (3 + 2 * slots) * learned / (rate * job->threads);
    double step = pass_seconds(job, phase->batch_rows, true) + update + step_seconds;
    int64_t rows = evaluation_rows(job), count = job->rows.validation_count;
    double passes = job->task.rows == ROWS_NODES ? count > 0 : ceil((double)count / (double)rows);
    double validation = count > 0 ? passes * pass_seconds(job, rows, false) : 0;
    double steps = (double)(phase->end - phase->begin);
    return step * steps + validation * ceil(steps / (double)phase->steps_per_epoch);
}

double job_seconds(const Job *job) {
    double seconds = 0;
    for (size_t i = 0; i < job->phase_count; i++)
        seconds += phase_seconds(job, &job->phases[i]);
    return seconds;
}
