// Gradient check of a job: its own model, loss, scaling and rows, in training mode (batch
// statistics, dropout with the mask of step 1, so that the objective is a function of the weights
// alone).
#include "core/train/check.h"
#include <fcntl.h>
#include "core/base/error.h"
#include "core/graph/gradcheck.h"
#include "core/train/batches.h"

enum {
    CHECK_ROWS = 12,      // enough for batch statistics; each costs in every difference
    CHECK_ELEMENTS = 200, // of a weight, at most
};

static const double tolerance = 1e-6;

typedef struct Check {
    Job *job;
    Dataset *dataset;
    Scalers scalers;
    Batch batch;
    Plan *plan;
    Real *weights;     // [graph_weight_elements]
    Real *gradients;   // [graph_learned]
    double pass_flops; // of a forward pass
} Check;

static void check_finish(Check *check) {
    plan_destroy(check->plan);
    batch_finish(&check->batch);
    scalers_finish(&check->scalers);
    memory_free(check->weights);
    memory_free(check->gradients);
    job_destroy(check->job);
    dataset_close(check->dataset);
}

static OpContext check_context(const Check *check) {
    OpContext context = {
        .training = true, .seed = (uint64_t)job_training(check->job)->seed, .step = 1};
    batch_context(&check->batch, &context);
    return context;
}

// The loss of the weights as they stand; its gradient by the outputs too where `gradients` is not
// NULL.
static double forward(Check *check, Real *gradients) {
    OpContext context = check_context(check);
    Tensor output;
    plan_forward(check->plan, &context, NULL, &check->batch.inputs, check->weights, &output);
    return batch_loss(&check->batch, batch_pick(&check->batch, output.data), gradients);
}

static double objective(void *context) {
    return forward(context, NULL);
}

static int prepare(Check *check, Value spec, const char *dataset_path, Issues *issues) {
    int error = dataset_open(AT_FDCWD, dataset_path, false, &check->dataset);
    if (error == OK)
        error = job_create(spec, check->dataset, 1, issues, &check->job);
    if (error == OK)
        error = scalers_fit(check->job, &check->scalers);
    if (error != OK)
        return error;
    const Graph *graph = model_graph(job_model(check->job));
    int64_t rows = job_batch_rows(check->job);
    rows = rows < CHECK_ROWS ? rows : CHECK_ROWS;
    error = batch_init(&check->batch, check->job, &check->scalers, rows);
    if (error != OK)
        return error;
    batch_gather(&check->batch, job_rows(check->job)->train, rows);
    PlanOptions options = job_plan_options(check->job, rows, true);
    PlanCost cost;
    error = plan_cost(graph, &options, NULL, &cost);
    if (error == OK)
        error = plan_create(graph, &options, &check->plan);
    if (error != OK)
        return error;
    check->pass_flops = cost.forward_flops;
    check->weights = memory_array(graph_weight_elements(graph), sizeof(Real));
    check->gradients = memory_array(graph_learned(graph), sizeof(Real));
    if (check->weights == NULL || check->gradients == NULL)
        return ERR_NO_MEMORY;
    return graph_initialise(graph, (uint64_t)job_training(check->job)->seed, check->weights);
}

static void write_weights(const Check *check, const GradcheckPart *parts, size_t count,
                          const ValueWriter *out) {
    const Model *model = job_model(check->job);
    write_begin_object(out, "weights");
    for (int i = 0; i < model_layers(model); i++) {
        bool open = false;
        for (size_t p = 0; p < count; p++) {
            const GraphWeight *weight = graph_weight_at(model_graph(model), parts[p].weight);
            if (weight->layer != i)
                continue;
            if (!open)
                write_begin_object(out, model_layer(model, i)->name);
            open = true;
            write_begin_object(out, weight->name);
            write_number(out, "max_relative_error", parts[p].error);
            write_end_object(out);
        }
        if (open)
            write_end_object(out);
    }
    write_end_object(out);
}

static int run(Check *check, const ValueWriter *out, double *ret_max_relative_error) {
    const Graph *graph = model_graph(job_model(check->job));
    AUTO_FREE GradcheckPart *parts =
        memory_array((size_t)graph_weights(graph), sizeof(GradcheckPart));
    if (parts == NULL)
        return ERR_NO_MEMORY;
    OpContext context = check_context(check);
    forward(check, plan_output_gradient(check->plan));
    plan_backward(check->plan, &context, NULL, check->gradients);
    size_t count = gradcheck_parts(graph, check->weights, check->gradients, parts);
    size_t elements = gradcheck_elements(check->pass_flops, graph_learned(graph), count);
    if (elements == 0 || elements > CHECK_ELEMENTS)
        elements = CHECK_ELEMENTS;
    const GradcheckOptions options = {.max_elements = elements,
                                      .seed = (uint64_t)job_training(check->job)->seed,
                                      .objective = objective,
                                      .context = check};
    double greatest = gradcheck_run(&options, parts, count);
    write_begin_object(out, NULL);
    write_boolean(out, "passed", greatest <= tolerance);
    write_number(out, "max_relative_error", greatest);
    write_weights(check, parts, count, out);
    write_end_object(out);
    *ret_max_relative_error = greatest;
    return OK;
}

int check_job(Value spec, const char *dataset_path, Issues *issues, const ValueWriter *out,
              double *ret_max_relative_error) {
    Check check = {0};
    int error = prepare(&check, spec, dataset_path, issues);
    if (error == OK)
        error = run(&check, out, ret_max_relative_error);
    check_finish(&check);
    return error;
}
