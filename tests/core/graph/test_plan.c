// Plans: several readers, what is run, what is frozen, memory.
#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const DropoutParams third = {1.0 / 3};
static const LayerNormParams norm = {1e-5};

static int activate(Net *net, const char *name, int input) {
    ActivateParams *params = arena_new(graph_arena(net->graph), ActivateParams);
    *params = (ActivateParams){activation_find(name), (Real)0.1};
    return net_op1(net, activate_op(params->activation), params, input);
}

static int layer_norm(Net *net, int layer, int input) {
    Shape width = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int weight[] = {net_weight(net, layer, width, 1, false),
                    net_weight(net, layer, width, 0, false)};
    return net_op(net, layer, &op_layer_norm, &norm, 1, &input, 2, weight);
}

// A net with everything that makes plans hard: nodes with several readers, repeated inputs, chains
// that can run in place, two inputs, and a node that the output does not need. Returns the output.
static int tangle(Net *net) {
    int x = net_input(net, SHAPE(4)), z = net_input(net, SHAPE(3));
    int a = activate(net, "tanh", net_linear(net, 0, x, 6, true));
    int b = activate(net, "gelu", net_linear(net, 1, a, 6, true));
    int c =
        net_op1(net, &op_dropout, &third, activate(net, "relu", net_linear(net, 2, b, 6, true)));
    int d = net_op(net, 3, &op_add, NULL, 3, (int[]){c, a, b}, 0, NULL);
    int e = layer_norm(net, 4, d);
    net_linear(net, 5, e, 50, true); // nobody reads it
    int f = net_op(net, 6, &op_add, NULL, 3, (int[]){d, e, d}, 0, NULL);
    static const ConcatParams axis = {0};
    int g = net_op(net, 7, &op_concat, &axis, 3, (int[]){f, z, a}, 0, NULL);
    int h = activate(net, "sigmoid", activate(net, "leaky_relu", net_linear(net, 8, g, 5, true)));
    return net_linear(net, 9, net_op(net, 9, &op_add, NULL, 2, (int[]){h, h}, 0, NULL), 3, true);
}

Test(plan, has_the_right_gradients_where_nodes_have_several_readers) {
    Net net = net_make();
    int output = tangle(&net);
    net_check(net, output, 5);
}

// Runs the tangle under a plan and gives loss and gradients.
static double run_tangle(PlanOptions options, int64_t rows, Real **ret_gradients,
                         size_t *ret_count) {
    Net net = net_make();
    options.output = tangle(&net);
    net_prepare(&net, options.output, rows, &options);
    double f = net_pass(&net);
    f = net_pass(&net); // nothing is left over from a pass before
    *ret_gradients = net.gradients;
    *ret_count = graph_learned(net.graph);
    net.gradients = NULL;
    net_finish(&net);
    return f;
}

Test(plan, gives_the_same_numbers_in_shared_memory) {
    Real *shared, *apart, *larger;
    size_t count;
    double f = run_tangle((PlanOptions){.max_rows = 5, .backward = true}, 5, &shared, &count);
    double g = run_tangle((PlanOptions){.max_rows = 5, .backward = true, .keep_all = true}, 5,
                          &apart, &count);
    double h = run_tangle((PlanOptions){.max_rows = 64, .backward = true}, 5, &larger, &count);
    cr_expect(f == g && f == h);
    cr_expect(memcmp(shared, apart, count * sizeof(Real)) == 0);
    cr_expect(memcmp(shared, larger, count * sizeof(Real)) == 0);
    memory_free(shared);
    memory_free(apart);
    memory_free(larger);
}

Test(plan, predicts_what_training_sees_without_its_backward_memory) {
    Net net = net_make();
    net.context.training = false;
    int output = tangle(&net);
    net_prepare(&net, output, 5, &(PlanOptions){.max_rows = 5, .backward = true, .output = output});
    double trained = net_objective(&net);
    PlanCost with, without;
    PlanOptions options = {.max_rows = 5, .output = output};
    plan_destroy(net.plan);
    cr_assert_eq(plan_create(net.graph, &options, &net.plan), OK);
    cr_expect_eq(net_objective(&net), trained);
    cr_assert_eq(plan_cost(net.graph, &options, NULL, &without), OK);
    options.backward = true;
    cr_assert_eq(plan_cost(net.graph, &options, NULL, &with), OK);
    cr_expect(without.activation_bytes < with.activation_bytes);
    cr_expect_eq(without.backward_flops, 0);
    cr_expect(with.backward_flops > with.forward_flops);
    net_finish(&net);
}

static int batch_norm(Net *net, int layer, int input) {
    static const BatchNormParams params = {0.9, 1e-3};
    Shape width = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int weight[] = {net_weight(net, layer, width, 1, false),
                    net_weight(net, layer, width, 0, false), net_weight(net, layer, width, 0, true),
                    net_weight(net, layer, width, 1, true)};
    return net_op(net, layer, &op_batch_norm, &params, 1, &input, 4, weight);
}

// Of each large block (linear, normalisation, activation) the plan keeps what the normalisation reads, and makes the rest again.
Test(plan, makes_large_values_again) {
    enum { BLOCKS = 6, ROWS = 4096, WIDTH = 160 };
    Net net = net_make();
    int node = net_input(&net, SHAPE(3));
    for (int block = 0; block < BLOCKS; block++) {
        node = batch_norm(&net, block, net_linear(&net, block, node, WIDTH, false));
        node = activate(&net, block % 2 ? "relu" : "tanh", node);
    }
    node = net_linear(&net, BLOCKS, node, 2, true);
    PlanOptions options = {.max_rows = ROWS, .backward = true, .output = node};
    PlanCost cost;
    cr_assert_eq(plan_cost(net.graph, &options, NULL, &cost), OK);
    cr_expect_lt(cost.activation_bytes, (BLOCKS + 4) * ROWS * WIDTH * sizeof(Real));

    net_prepare(&net, node, ROWS, &options);
    net_pass(&net);
    Real *again = net.gradients;
    net.gradients = memory_array(graph_learned(net.graph), sizeof(Real));
    cr_assert_not_null(net.gradients);
    plan_destroy(net.plan);
    options.keep_all = true;
    cr_assert_eq(plan_create(net.graph, &options, &net.plan), OK);
    net_pass(&net);
    cr_expect(memcmp(again, net.gradients, graph_learned(net.graph) * sizeof(Real)) == 0);
    memory_free(again);
    net_finish(&net);
}

// Forward alone, a chain of n layers needs two buffers at a time, whatever n is.
Test(plan, predicts_a_deep_chain_in_the_memory_of_two_layers) {
    Net net = net_make();
    int node = net_input(&net, SHAPE(16));
    for (int layer = 0; layer < 40; layer++)
        node = activate(&net, "relu", net_linear(&net, layer, node, 16, true));
    PlanCost cost;
    cr_assert_eq(plan_cost(net.graph, &(PlanOptions){.max_rows = 32, .output = node}, NULL, &cost),
                 OK);
    cr_expect_eq(cost.activation_bytes, 2 * 32 * 16 * sizeof(Real));
    // Training keeps each layer's output (relu runs in place), and the gradients pass through two
    // buffers.
    cr_assert_eq(plan_cost(net.graph,
                           &(PlanOptions){.max_rows = 32, .backward = true, .output = node}, NULL,
                           &cost),
                 OK);
    cr_expect_leq(cost.activation_bytes, (40 + 2) * 32 * 16 * sizeof(Real));
    graph_destroy(net.graph);
}

// A product's halves cost alike: the first layer computes no input gradient, a frozen one none of its weights, and below
// the first that learns nothing runs back at all.
Test(plan, counts_what_runs_back) {
    Net net = net_make();
    int node = net_input(&net, SHAPE(8));
    int layers[4];
    for (int layer = 0; layer < 4; layer++)
        layers[layer] = node = net_linear(&net, layer, node, 8, true);
    cr_assert_eq(graph_freeze(net.graph, 0), OK);
    cr_assert_eq(graph_freeze(net.graph, 2), OK);
    const PlanOptions options = {.max_rows = 2, .backward = true, .output = node};
    PlanCost cost;
    OpCost nodes[5];
    cr_assert_eq(plan_cost(net.graph, &options, nodes, &cost), OK);
    const double halves[] = {0, 1, 1, 2};
    double product = 2 * 2 * 8 * 8;
    for (int layer = 0; layer < 4; layer++) {
        cr_expect_eq(nodes[layers[layer]].forward_flops, product);
        cr_expect_eq(nodes[layers[layer]].backward_flops, halves[layer] * product);
    }
    cr_expect_eq(cost.forward_flops, 4 * product);
    cr_expect_eq(cost.backward_flops, 4 * product);
    graph_destroy(net.graph);
}

typedef struct Seen {
    int forward[64], backward[64];
    int forwards, backwards;
} Seen;

static void saw_forward(void *context, int node, const Tensor *output, size_t stored) {
    Seen *seen = context;
    cr_assert(output->data != NULL && output->shape.dim[0] == 2);
    cr_assert_eq(stored, (size_t)shape_elements(&output->shape));
    seen->forward[seen->forwards++] = node;
}

static void saw_backward(void *context, int node) {
    Seen *seen = context;
    seen->backward[seen->backwards++] = node;
}

Test(plan, runs_and_reports_only_what_the_output_depends_on) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(3));
    int a = net_linear(&net, 0, x, 4, true);
    int b = net_linear(&net, 1, a, 4, true);
    net_linear(&net, 2, a, 4, true); // not an ancestor of c
    int c = net_linear(&net, 3, b, 2, true);
    net_prepare(&net, c, 2, &(PlanOptions){.max_rows = 2, .backward = true, .output = c});
    Seen seen = {0};
    PlanObserver observer = {&seen, saw_forward, saw_backward};
    Tensor output;
    plan_forward(net.plan, &net.context, &observer, net.input, net.weights, &output);
    memcpy(plan_output_gradient(net.plan), net.objective, net.outputs * sizeof(Real));
    plan_backward(net.plan, &net.context, &observer, net.gradients);
    cr_assert(seen.forwards == 3 && seen.backwards == 3);
    cr_expect(memcmp(seen.forward, (int[]){a, b, c}, 3 * sizeof(int)) == 0);
    cr_expect(memcmp(seen.backward, (int[]){c, b, a}, 3 * sizeof(int)) == 0);
    cr_expect_null(plan_value(net.plan, a).data); // its memory may be another's by now
    cr_expect_eq(plan_value(net.plan, c).data, output.data);
    net_finish(&net);
}

Test(plan, leaves_frozen_layers_alone_and_stops_below_them) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(3));
    int a = net_linear(&net, 0, x, 4, true);
    int b = net_linear(&net, 1, a, 4, true);
    int c = net_linear(&net, 2, b, 2, true);
    cr_assert_eq(graph_freeze(net.graph, 0), OK);
    cr_assert_eq(graph_freeze(net.graph, 2), OK);
    net_prepare(&net, c, 2, &(PlanOptions){.max_rows = 2, .backward = true, .output = c});
    size_t learned = graph_learned(net.graph), begin, end;
    for (size_t i = 0; i < learned; i++)
        net.gradients[i] = 77;
    Seen seen = {0};
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    memcpy(plan_output_gradient(net.plan), net.objective, net.outputs * sizeof(Real));
    plan_backward(net.plan, &net.context,
                  &(PlanObserver){.context = &seen, .backward = saw_backward}, net.gradients);
    cr_expect(seen.backwards == 2, "frozen layer 0 has no backward");
    graph_layer_range(net.graph, 1, &begin, &end);
    for (size_t i = 0; i < learned; i++)
        cr_expect_eq(net.gradients[i] == 77, i < begin || i >= end);
    net_finish(&net);
}

Test(plan, keeps_a_frozen_batch_norm_to_its_moving_statistics) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3)), 2, true);
    static const BatchNormParams params = {0.9, 1e-5};
    int weight[] = {
        net_weight(&net, 1, SHAPE(2), 1, false), net_weight(&net, 1, SHAPE(2), 0, false),
        net_weight(&net, 1, SHAPE(2), 0.5, true), net_weight(&net, 1, SHAPE(2), 2, true)};
    int y = net_op(&net, 1, &op_batch_norm, &params, 1, &x, 4, weight);
    cr_assert_eq(graph_freeze(net.graph, 1), OK);
    net_prepare(&net, y, 4, &(PlanOptions){.max_rows = 4, .backward = true, .output = y});
    double training = net_pass(&net);
    assert_all_near(net.weights + graph_learned(net.graph), ((double[]){0.5, 0.5, 2, 2}), 4, 0);
    net.context.training = false;
    cr_expect_eq(net_pass(&net), training);
    net_finish(&net);
}

Test(plan, keeps_every_value_and_gradient_where_asked) {
    Net net = net_make();
    int output = tangle(&net);
    net_prepare(
        &net, output, 5,
        &(PlanOptions){.max_rows = 5, .backward = true, .keep_all = true, .output = output});
    net_pass(&net);
    Tensor input = plan_gradient(net.plan, 0);
    cr_expect_null(input.data); // not wanted yet
    plan_want_input_gradients(net.plan);
    net_pass(&net);
    cr_expect_not_null(plan_gradient(net.plan, 0).data);
    for (int i = 0; i <= output; i++) {
        Tensor value = plan_value(net.plan, i), gradient = plan_gradient(net.plan, i);
        cr_expect_eq(value.data == NULL, gradient.data == NULL);
        for (int j = 0; j < i && value.data != NULL; j++) {
            cr_expect_neq(plan_value(net.plan, j).data, value.data);
            cr_expect_neq(plan_gradient(net.plan, j).data, gradient.data);
        }
    }
    net_finish(&net);
}

Test(plan, refuses_what_it_cannot_hold) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(1 << 20));
    Plan *plan = NULL;
    cr_expect_eq(plan_create(net.graph, &(PlanOptions){.max_rows = 1 << 20, .output = x}, &plan),
                 ERR_TOO_LARGE);
    cr_expect_eq(plan_create(net.graph, &(PlanOptions){.max_rows = 1, .output = 5}, &plan),
                 ERR_INVALID);
    cr_expect_eq(plan_create(net.graph, &(PlanOptions){.max_rows = 0, .output = x}, &plan),
                 ERR_INVALID);
    cr_expect_null(plan);
    graph_destroy(net.graph);
}

Test(plan, gives_everything_back_when_memory_runs_out) {
    Net net = net_make();
    int output = tangle(&net);
    PlanOptions options = {.max_rows = 5, .backward = true, .output = output};
    int failures = 0;
    for (long nth = 1;; nth++) {
        Plan *plan = NULL;
        memory_fail_at(nth);
        int err = plan_create(net.graph, &options, &plan);
        memory_fail_at(0);
        if (err == OK) {
            plan_destroy(plan);
            break;
        }
        cr_assert_eq(err, ERR_NO_MEMORY);
        cr_assert_null(plan);
        failures++;
    }
    cr_expect(failures >= 5);
    graph_destroy(net.graph);
}
