// A small graph with random weights and inputs, and its gradient check: backward against central
// differences for every weight and every input, of f = Σ c·y with random c.
#pragma once
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/graph/gradcheck.h"
#include "core/ops/ops.h"

enum { NET_INPUTS_MAX = 4, NET_NODES_MAX = 32 };

typedef struct Net {
    Graph *graph;
    int inputs;
    int64_t rows;
    OpContext context;
    Real *weights, *gradients; // flat
    Tensor input[NET_INPUTS_MAX];
    Plan *plan;
    Real *objective; // c, of the output's shape
    size_t outputs;  // elements of the output
} Net;

static inline Net net_make(void) {
    return (Net){.graph = graph_create(), .context = {.training = true, .seed = 7, .step = 3}};
}

static inline int net_input_of(Net *net, Shape row, GraphRows rows) {
    int node = graph_input(net->graph, &row, rows);
    cr_assert(node >= 0);
    net->input[net->inputs++].shape = row;
    return node;
}

static inline int net_input(Net *net, Shape row) {
    return net_input_of(net, row, GRAPH_ROWS);
}

// A learned weight, or a state; `fill` is its start, NAN: random.
static inline int net_weight(Net *net, int layer, Shape shape, double fill, bool state) {
    GraphWeight weight = {
        .name = "w", .shape = shape, .layer = layer, .state = state, .fill = fill};
    if (isnan(fill))
        weight.fill = 0; // net_prepare draws it
    int index = graph_weight(net->graph, &weight);
    cr_assert(index >= 0, "graph_weight: %d", index);
    return index;
}

static inline int net_op(Net *net, int layer, const OpDesc *op, const void *params, int inputs,
                         const int *input, int weights, const int *weight) {
    char why[OP_WHY];
    int node = graph_add(net->graph, layer, op, params, inputs, input, weights, weight, why);
    cr_assert(node >= 0, "%s: %s", op->name, why);
    return node;
}

static inline int net_op1(Net *net, const OpDesc *op, const void *params, int input) {
    return net_op(net, 0, op, params, 1, &input, 0, NULL);
}

static inline int net_linear(Net *net, int layer, int input, int64_t units, bool bias) {
    int64_t in = shape_last(&graph_node(net->graph, input)->shape);
    LinearParams *params = arena_new(graph_arena(net->graph), LinearParams);
    params->units = units;
    int weight[2] = {net_weight(net, layer, SHAPE(in, units), NAN, false)};
    if (bias)
        weight[1] = net_weight(net, layer, SHAPE(units), NAN, false);
    return net_op(net, layer, &op_linear, params, 1, &input, bias ? 2 : 1, weight);
}

static inline void net_draw(Rng *rng, Real *values, size_t count, double scale) {
    for (size_t i = 0; i < count; i++)
        values[i] += (Real)(scale * rng_normal(rng));
}

// Weights (their fill plus noise; states as filled), inputs and the objective, all from one seed.
static inline void net_prepare(Net *net, int output, int64_t rows, const PlanOptions *options) {
    net->rows = rows;
    const GraphNode *last = graph_node(net->graph, output);
    const Adjacency *graphs = net->context.adjacency;
    int64_t output_rows = graphs != NULL && !last->per_node ? graphs->graphs : rows;
    net->outputs = (size_t)(output_rows * shape_elements(&last->shape));
    net->weights = memory_array(graph_weight_elements(net->graph), sizeof(Real));
    net->gradients = memory_array(graph_learned(net->graph), sizeof(Real));
    net->objective = memory_array(net->outputs, sizeof(Real));
    Rng rng = rng_make(1, RNG_PROBE, 0, 0);
    cr_assert_eq(graph_initialise(net->graph, 1, net->weights), OK);
    net_draw(&rng, net->weights, graph_learned(net->graph), 0.5);
    net_draw(&rng, net->objective, net->outputs, 1);
    for (int i = 0; i < net->inputs; i++) {
        Shape row = net->input[i].shape, shape = {.rank = row.rank + 1, .dim = {rows}};
        for (int d = 0; d < row.rank; d++)
            shape.dim[d + 1] = row.dim[d];
        size_t count = (size_t)shape_elements(&shape);
        net->input[i] = (Tensor){memory_array(count, sizeof(Real)), shape};
        net_draw(&rng, net->input[i].data, count, 1);
    }
    cr_assert_eq(plan_create(net->graph, options, &net->plan), OK);
}

static inline double net_objective(void *context) {
    Net *net = context;
    Tensor output;
    plan_forward(net->plan, &net->context, NULL, net->input, net->weights, &output);
    double sum = 0;
    for (size_t i = 0; i < net->outputs; i++)
        sum += (double)net->objective[i] * (double)output.data[i];
    return sum;
}

// One pass forward and backward; returns f.
static inline double net_pass(Net *net) {
    double f = net_objective(net);
    memcpy(plan_output_gradient(net->plan), net->objective, net->outputs * sizeof(Real));
    plan_backward(net->plan, &net->context, NULL, net->gradients);
    return f;
}

static inline void net_finish(Net *net) {
    plan_destroy(net->plan);
    for (int i = 0; i < net->inputs; i++)
        memory_free(net->input[i].data);
    memory_free(net->weights);
    memory_free(net->gradients);
    memory_free(net->objective);
    graph_destroy(net->graph);
}

// Checks every weight and every input; takes the net. Where rows are nodes, they are those of the context's graphs.
static inline void net_check(Net net, int output, int64_t rows) {
    PlanOptions plan = {.max_rows = rows + 3, .backward = true, .keep_all = true, .output = output};
    const Adjacency *graphs = net.context.adjacency;
    if (graphs != NULL) {
        rows = graphs->nodes;
        plan.max_rows = graphs->graphs + 1;
        plan.max_nodes = rows + 3;
        plan.max_edges = graphs->edges + 5;
    }
    net_prepare(&net, output, rows, &plan);
    plan_want_input_gradients(net.plan);
    net_pass(&net);
    GradcheckPart parts[NET_NODES_MAX + NET_INPUTS_MAX];
    size_t count = gradcheck_parts(net.graph, net.weights, net.gradients, parts);
    for (int node = 0, i = 0; i < net.inputs; node++)
        if (graph_node(net.graph, node)->op == NULL) {
            Tensor gradient = plan_gradient(net.plan, node);
            cr_assert_not_null(gradient.data);
            parts[count++] = (GradcheckPart){
                .name = "input",
                .weight = -1,
                .values = net.input[i].data,
                .gradients =
                    memcpy(memory_array((size_t)shape_elements(&gradient.shape), sizeof(Real)),
                           gradient.data, (size_t)shape_elements(&gradient.shape) * sizeof(Real)),
                .count = (size_t)shape_elements(&gradient.shape)};
            i++;
        }
    GradcheckOptions options = {.objective = net_objective, .context = &net};
    gradcheck_run(&options, parts, count);
    for (size_t p = 0; p < count; p++) {
        cr_expect(parts[p].error <= 1e-6, "%s %d: relative error %g", parts[p].name,
                  parts[p].weight, parts[p].error);
        if (parts[p].weight < 0)
            memory_free((void *)parts[p].gradients);
    }
    net_finish(&net);
}

// That a pass on two threads gives the bits of a pass on one; takes the net. It must be large enough to be split.
static inline void net_check_threads(Net net, int output, int64_t rows) {
    net_prepare(&net, output, rows,
                &(PlanOptions){.max_rows = rows, .backward = true, .output = output});
    double alone = net_pass(&net);
    size_t count = graph_learned(net.graph);
    Real *gradients = memory_array(count, sizeof(Real));
    memcpy(gradients, net.gradients, count * sizeof(Real));
    cr_assert_eq(parallel_create(2, &net.context.parallel), OK);
    cr_expect_eq(net_pass(&net), alone);
    cr_expect(memcmp(net.gradients, gradients, count * sizeof(Real)) == 0);
    parallel_destroy(net.context.parallel);
    memory_free(gradients);
    net_finish(&net);
}
