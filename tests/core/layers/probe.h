// A probe as a whole net: built, run forward and backward, and gradient-checked, weights and input.
//
// f = Σ c·y with random c; the weights are the initial ones and noise, so that nothing stands at zero.
#pragma once
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/graph/gradcheck.h"
#include "core/layers/layers.h"
#include "core/model/model.h"
#include "tests/support/graphs.h"
#include "tests/support/json.h"

enum { PROBE_ROWS = 5, PROBE_WEIGHTS_MAX = 48 };

static Arena probe_arena;

static inline void probe_begin(void) {
    arena_init(&probe_arena, 0);
}

static inline void probe_end(void) {
    arena_finish(&probe_arena);
}

// A model from {"input": [row shape], "layers": […]}; NULL with the issues where it is refused.
static inline Model *probe_model(const char *text, Issues *issues) {
    Value probe = json_value(&probe_arena, text);
    Task task = {.kind = TASK_REGRESSION, .outputs = 1};
    VALUE_FOREACH(axis, value_member(probe, "input"))
    task.input.dim[task.input.rank++] = (int64_t)value_number(axis);
    if (value_kind(value_member(probe, "lengths")) == VALUE_ARRAY)
        task.rows = ROWS_SEQUENCES;
    if (value_kind(value_member(probe, "vocabulary")) == VALUE_NUMBER)
        task.vocabulary = (int64_t)value_number(value_member(probe, "vocabulary"));
    if (value_kind(value_member(probe, "graph")) == VALUE_OBJECT)
        task.rows = ROWS_NODES;
    if (value_kind(value_member(probe, "graphs")) == VALUE_ARRAY)
        task.rows = ROWS_GRAPHS;
    // The same document without what stands before "layers": a model reads "input" otherwise.
    Text spec;
    text_init(&spec);
    text_add(&spec, "{");
    text_add(&spec, strstr(text, "\"layers\""));
    Model *model = NULL;
    issues_init(issues);
    int err =
        model_create(json_value(&probe_arena, text_string(&spec)), NULL, &task, issues, &model);
    cr_assert(err == OK || err == ERR_INVALID, "%s: %s", text, error_name(err));
    text_finish(&spec);
    return model;
}

typedef struct ProbeRun {
    const char *text;
    Model *model;
    const Graph *graph;
    PlanOptions options;
    Plan *plan;
    OpContext context;
    AdjacencyBuffer graphs;
    Tensor input;
    bool tokens;               // the input is ids, which have no gradient
    Real *weights, *objective; // objective: c [outputs]
    size_t outputs;
    double greatest; // relative error so far
} ProbeRun;

static inline double probe_objective(void *context) {
    ProbeRun *run = context;
    Tensor output;
    plan_forward(run->plan, &run->context, NULL, &run->input, run->weights, &output);
    double sum = 0;
    for (size_t i = 0; i < run->outputs; i++)
        sum += (double)(run->objective[i] * output.data[i]);
    return sum;
}

// Adds normal numbers to values [count].
static inline void probe_noise(uint64_t key, size_t count, double deviation, Real *values) {
    Rng rng = rng_make(1, RNG_PROBE, key, 0);
    for (size_t i = 0; i < count; i++)
        values[i] += (Real)(rng_normal(&rng) * deviation);
}

static inline Real *probe_random(uint64_t key, size_t count) {
    Real *values = memory_array(count, sizeof(Real));
    probe_noise(key, count, 1, values);
    return values;
}

// The probe's lengths and how many there are; without them NULL, and rows enough.
static inline const int32_t *probe_lengths(Value probe, int64_t *ret_rows) {
    Value given = value_member(probe, "lengths");
    *ret_rows = PROBE_ROWS;
    if (value_kind(given) != VALUE_ARRAY)
        return NULL;
    int32_t *lengths = arena_array(&probe_arena, value_length(given), sizeof(int32_t));
    *ret_rows = 0;
    VALUE_FOREACH(length, given)
    lengths[(*ret_rows)++] = (int32_t)value_number(length);
    return lengths;
}

// Random numbers, or token ids below the probe's vocabulary.
static inline void probe_fill_input(ProbeRun *run, Value probe) {
    size_t count = (size_t)shape_elements(&run->input.shape);
    Value vocabulary = value_member(probe, "vocabulary");
    run->tokens = value_kind(vocabulary) == VALUE_NUMBER;
    run->input.data = probe_random(1, count);
    Rng rng = rng_make(2, RNG_PROBE, 0, 0);
    for (size_t i = 0; run->tokens && i < count; i++)
        run->input.data[i] = (Real)rng_below(&rng, (uint64_t)value_number(vocabulary));
}

// States are what a net has gathered: a variance stays positive.
static inline void probe_fill_weights(ProbeRun *run) {
    const Graph *graph = run->graph;
    size_t elements = graph_weight_elements(graph), learned = graph_learned(graph);
    run->weights = memory_array(elements, sizeof(Real));
    cr_assert_eq(graph_initialise(graph, 3, run->weights), OK);
    probe_noise(3, learned, 0.3, run->weights);
    Rng rng = rng_make(3, RNG_PROBE, 0, 0);
    for (size_t i = learned; i < elements; i++)
        run->weights[i] += (Real)rng_uniform(&rng);
}

static inline void probe_start(ProbeRun *run, const char *text) {
    Issues issues;
    Value probe = json_value(&probe_arena, text);
    int64_t rows;
    *run = (ProbeRun){.text = text, .model = probe_model(text, &issues)};
    cr_assert_not_null(run->model, "%s: %s %s", text,
                       issues.count > 0 ? issues.items[0].pointer : "",
                       issues.count > 0 ? issues.items[0].detail : "");
    issues_finish(&issues);
    run->graph = model_graph(run->model);
    run->context = (OpContext){.seed = 5, .step = 2, .lengths = probe_lengths(probe, &rows)};
    run->options =
        (PlanOptions){.max_rows = rows, .backward = true, .output = model_output(run->model)};
    int64_t output_rows = rows;
    if (graphs_read(probe, &run->graphs)) {
        run->context.adjacency = &run->graphs.adjacency;
        rows = run->options.max_nodes = run->graphs.adjacency.nodes;
        run->options.max_edges = run->graphs.adjacency.edges;
        run->options.max_rows = run->graphs.adjacency.graphs;
        bool per_node = graph_node(run->graph, run->options.output)->per_node;
        output_rows = per_node ? rows : run->graphs.adjacency.graphs;
    }
    const Shape *row = model_input_shape(run->model);
    run->input.shape = (Shape){.rank = row->rank + 1, .dim = {rows}};
    memcpy(run->input.shape.dim + 1, row->dim, (size_t)row->rank * sizeof(row->dim[0]));
    run->outputs = (size_t)output_rows * (size_t)shape_elements(model_output_shape(run->model));
    run->objective = probe_random(2, run->outputs);
    probe_fill_input(run, probe);
    probe_fill_weights(run);
}

static inline void probe_finish(ProbeRun *run) {
    memory_free(run->input.data);
    memory_free(run->objective);
    memory_free(run->weights);
    adjacency_finish(&run->graphs);
    model_destroy(run->model);
}

// Every weight's gradient [graph_learned] of a plan of its own, which the caller destroys.
static inline Real *probe_gradients(ProbeRun *run, bool keep_all) {
    run->options.keep_all = keep_all;
    cr_assert_eq(plan_create(run->graph, &run->options, &run->plan), OK);
    if (keep_all)
        plan_want_input_gradients(run->plan);
    Real *gradients = memory_array(graph_learned(run->graph), sizeof(Real));
    probe_objective(run);
    memcpy(plan_output_gradient(run->plan), run->objective, run->outputs * sizeof(Real));
    plan_backward(run->plan, &run->context, NULL, gradients);
    return gradients;
}

static inline void probe_compare(ProbeRun *run, GradcheckPart *parts, size_t count) {
    gradcheck_run(&(GradcheckOptions){.objective = probe_objective, .context = run}, parts, count);
    for (size_t p = 0; p < count; p++) {
        bool weight = parts[p].weight >= 0;
        const char *layer =
            weight
                ? model_layer(run->model, graph_weight_at(run->graph, parts[p].weight)->layer)->name
                : "input";
        cr_expect(parts[p].error <= 1e-6, "%s%s: %s.%s: relative error %g", run->text,
                  run->context.training ? "" : " outside training", layer, parts[p].name,
                  parts[p].error);
        run->greatest = fmax(run->greatest, parts[p].error);
    }
}

// Weights where the plan's memory is shared between values, as in training; then, every value in a
// place of its own, as in a trace, the same bits, and the input too.
static inline void probe_check_passes(ProbeRun *run) {
    GradcheckPart parts[PROBE_WEIGHTS_MAX + 1];
    cr_assert(graph_weights(run->graph) <= PROBE_WEIGHTS_MAX);
    Real *gradients = probe_gradients(run, false);
    size_t learned = graph_learned(run->graph);
    probe_compare(run, parts, gradcheck_parts(run->graph, run->weights, gradients, parts));
    plan_destroy(run->plan);
    Real *again = probe_gradients(run, true);
    cr_expect(memcmp(gradients, again, learned * sizeof(Real)) == 0,
              "%s: the gradients depend on where values lie", run->text);
    size_t count = (size_t)shape_elements(&run->input.shape);
    Real *input_gradients = plan_gradient(run->plan, 0).data;
    cr_assert(run->tokens || input_gradients != NULL, "%s", run->text);
    cr_assert(run->tokens || count > 0);
    if (!run->tokens) {
        // The plan's own memory is written again in each pass.
        Real *kept = memory_array(count, sizeof(Real));
        memcpy(kept, input_gradients, count * sizeof(Real));
        probe_compare(run,
                      &(GradcheckPart){.name = "values",
                                       .weight = -1,
                                       .values = run->input.data,
                                       .gradients = kept,
                                       .count = count},
                      1);
        memory_free(kept);
    }
    plan_destroy(run->plan);
    memory_free(gradients);
    memory_free(again);
}

// In training and outside it. Returns the greatest relative error.
static inline double probe_check(const char *text) {
    ProbeRun run;
    probe_start(&run, text);
    for (int training = 0; training < 2; training++) {
        run.context.training = training != 0;
        probe_check_passes(&run);
    }
    probe_finish(&run);
    return run.greatest;
}
