// What a job's worker holds at its peak, beyond what an idle one does, from the same sizes by which it allocates.
//
// The dataset counts whole: its file is mapped, and the kernel counts the pages that training has touched as the worker's
// until somebody else wants the room. All arrays are cleared when they are made, so they count from the start.
#include "core/base/error.h"
#include "core/train/job_private.h"
#include "core/train/loader.h"

enum {
    RUNTIME_BYTES = 2 << 20, // measured: code that is touched, small arrays, the products' blocks …
    THREAD_BYTES = 896 << 10, // … which every further thread has for itself
};

// Saturates: what overflows cannot fit either.
static size_t sum(size_t a, size_t b) {
    size_t total;
    return size_add(a, b, &total) ? total : SIZE_MAX;
}

static size_t times(size_t a, size_t b) {
    size_t total;
    return size_multiply(a, b, &total) ? total : SIZE_MAX;
}

// A plan for so many rows, and a batch of them. ERR_NO_MEMORY; SIZE_MAX where no machine has so much.
static int pass_bytes(const Job *job, int64_t rows, bool backward, size_t *ret_bytes) {
    PlanOptions options = job_plan_options(job, rows, backward);
    PlanCost cost = {.activation_bytes = SIZE_MAX};
    if (plan_cost(model_graph(job->model), &options, NULL, &cost) == ERR_NO_MEMORY)
        return ERR_NO_MEMORY;
    *ret_bytes = sum(cost.activation_bytes, batch_bytes(job, rows));
    return OK;
}

int job_memory(const Job *job, int64_t batch_rows, JobMemory *ret_memory) {
    const Graph *graph = model_graph(job->model);
    size_t elements = graph_weight_elements(graph), learned = graph_learned(graph);
    bool keeps_best = job->training.stop != NULL && job->training.stop->restore_best;
    const JobRows *rows = &job->rows;
    int64_t listed = rows->train_count + rows->validation_count + rows->test_count;
    int64_t evaluated = evaluation_rows_at(job, batch_rows);
    size_t training = 0, evaluation = 0;
    int error = pass_bytes(job, batch_rows, true, &training);
    if (error == OK && evaluated > 0)
        error = pass_bytes(job, evaluated, false, &evaluation);
    if (error != OK)
        return error;
    JobMemory memory = {
        .weights = sum(times(elements * sizeof(Real), keeps_best ? 2 : 1),
                       job->initial != NULL ? archive_bytes(job->initial) : 0),
        .gradients = learned * sizeof(Real),
        .optimizer = times(learned * sizeof(Real), (size_t)job_slots(job)),
        .activations = sum(training, loader_bytes(job, batch_rows)),
        .evaluation = evaluation,
        .dataset = sum(archive_bytes(job->dataset->archive), (size_t)listed * sizeof(int32_t)),
        .runtime = RUNTIME_BYTES + (size_t)(job->threads - 1) * THREAD_BYTES,
    };
    memory.total =
        sum(sum(sum(memory.weights, memory.gradients), sum(memory.optimizer, memory.activations)),
            sum(sum(memory.evaluation, memory.dataset), memory.runtime));
    *ret_memory = memory;
    return OK;
}

int64_t job_fitting_batch(const Job *job, size_t bytes) {
    int64_t fits = 0, above = job_batch_rows(job) + 1; // fits < the answer's successor ≤ above
    while (above - fits > 1) {
        int64_t middle = fits + (above - fits) / 2;
        JobMemory memory;
        if (job_memory(job, middle, &memory) == OK && memory.total <= bytes)
            fits = middle;
        else
            above = middle;
    }
    return fits;
}
