// The operators that look along edges: aggregate, aggregate_sum, neighbor_max, graph_attention.
#include "tests/core/ops/net.h"
#include "tests/support/graphs.h"

static const AggregateParams gcn = {AGGREGATE_GCN}, mean = {AGGREGATE_MEAN}, sum = {AGGREGATE_SUM};
static const char *const graphs[] = {
    "{\"graph\": {\"nodes\": 6, \"edges\": [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4]]}}",
    "{\"graph\": {\"nodes\": 5, \"directed\": true, \"edges\": [[0, 1], [2, 1], [1, 3], [3, 1], "
    "[0, 3]]}}",
    "{\"graphs\": [{\"nodes\": 3, \"edges\": [[0, 1], [1, 2]]}, {\"nodes\": 1, \"edges\": []}, "
    "{\"nodes\": 4, \"edges\": [[0, 3], [1, 3], [2, 3]]}]}",
};
static Arena arena;
static AdjacencyBuffer buffer;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    adjacency_finish(&buffer);
    arena_finish(&arena);
}

TestSuite(graph_ops, .init = set_up, .fini = tear_down);

static Net graph_net(const char *text, Shape features, int *ret_input) {
    adjacency_finish(&buffer);
    cr_assert(graphs_read(json_value(&arena, text), &buffer));
    Net net = net_make();
    net.context.adjacency = &buffer.adjacency;
    *ret_input = net_input_of(&net, features, GRAPH_NODES);
    return net;
}

Test(graph_ops, aggregate_has_the_right_gradients) {
    for (size_t g = 0; g < ARRAY_LENGTH(graphs); g++)
        for (int64_t width = 3; width <= 35; width += 16) { // with and without whole blocks
            int x;
            Net net = graph_net(graphs[g], SHAPE(width), &x);
            net_check(net, net_op1(&net, &op_aggregate, &gcn, x), 0);
            net = graph_net(graphs[g], SHAPE(width), &x);
            int bias = net_weight(&net, 0, SHAPE(width), NAN, false);
            net_check(net, net_op(&net, 0, &op_aggregate, &mean, 1, &x, 1, &bias), 0);
            net = graph_net(graphs[g], SHAPE(width), &x);
            int weights[] = {net_weight(&net, 0, SHAPE(1), NAN, false),
                             net_weight(&net, 0, SHAPE(width), NAN, false)};
            net_check(net, net_op(&net, 0, &op_aggregate_sum, &sum, 1, &x, 2, weights), 0);
        }
}

Test(graph_ops, neighbor_max_has_the_right_gradients) {
    for (size_t g = 0; g < ARRAY_LENGTH(graphs); g++) {
        int x;
        Net net = graph_net(graphs[g], SHAPE(4), &x);
        net_check(net, net_op1(&net, &op_neighbor_max, NULL, x), 0);
    }
}

static int attention(Net *net, const GraphAttentionParams *params, int x, int64_t units) {
    int64_t width = params->heads * units;
    int weights[] = {net_weight(net, 0, SHAPE(params->heads, units), NAN, false),
                     net_weight(net, 0, SHAPE(params->heads, units), NAN, false),
                     net_weight(net, 0, SHAPE(params->concat ? width : units), NAN, false)};
    return net_op(net, 0, &op_graph_attention, params, 1, &x, 3, weights);
}

Test(graph_ops, attention_has_the_right_gradients) {
    for (size_t g = 0; g < ARRAY_LENGTH(graphs); g++)
        for (int mode = 0; mode < 8; mode++) {
            GraphAttentionParams params = {.heads = mode & 1 ? 3 : 1,
                                           .concat = (mode & 2) != 0,
                                           .dropout = mode & 4 ? 0.4 : 0,
                                           .negative_slope = 0.2};
            int x;
            Net net = graph_net(graphs[g], SHAPE(params.heads * 4), &x);
            net_check(net, attention(&net, &params, x, 4), 0);
        }
}

// Runs an operator over features that are given; its output stays until the net is finished.
static const Real *run(Net *net, int output, const Real *features) {
    const Adjacency *of = net->context.adjacency;
    net_prepare(net, output, of->nodes,
                &(PlanOptions){.max_rows = of->graphs,
                               .max_nodes = of->nodes,
                               .max_edges = of->edges,
                               .output = output});
    memcpy(net->input[0].data, features, net->outputs * sizeof(Real));
    Tensor y;
    plan_forward(net->plan, &net->context, NULL, net->input, net->weights, &y);
    return y.data;
}

static void expect_all(const Real *actual, const Real *wanted, size_t count) {
    for (size_t i = 0; i < count; i++)
        cr_expect(fabs((double)(actual[i] - wanted[i])) < 1e-12, "[%zu] is %g, not %g", i,
                  (double)actual[i], (double)wanted[i]);
}

static const char *const flow =
    "{\"graph\": {\"nodes\": 4, \"directed\": true, \"edges\": [[0, 1], "
    "[2, 1], [1, 2]]}}";

Test(graph_ops, numbers_flow_from_source_to_target) {
    static const Real features[] = {1, 10, 100, 1000};
    int x;
    Net net = graph_net(flow, SHAPE(1), &x);
    expect_all(run(&net, net_op1(&net, &op_aggregate, &mean, x), features),
               (const Real[]){0, 50.5, 10, 0}, 4);
    net_finish(&net);
    net = graph_net(flow, SHAPE(1), &x);
    // In-degrees with the node itself: 1, 3, 2, 1.
    const Real *y = run(&net, net_op1(&net, &op_aggregate, &gcn, x), features);
    expect_all(
        y, (const Real[]){1, 1 / sqrt(3) + 10.0 / 3 + 100 / sqrt(6), 10 / sqrt(6) + 50, 1000}, 4);
    net_finish(&net);
    net = graph_net(flow, SHAPE(1), &x);
    expect_all(run(&net, net_op1(&net, &op_neighbor_max, NULL, x), features),
               (const Real[]){0, 100, 10, 0}, 4);
    net_finish(&net);
}

Test(graph_ops, a_maximum_keeps_what_is_not_a_number) {
    const Real features[] = {1, 10, NAN, -5};
    int x;
    Net net =
        graph_net("{\"graph\": {\"nodes\": 4, \"directed\": true, \"edges\": [[0, 1], [2, 1], "
                  "[3, 1], [3, 0]]}}",
                  SHAPE(1), &x);
    const Real *y = run(&net, net_op1(&net, &op_neighbor_max, NULL, x), features);
    cr_expect_eq(y[0], -5);
    cr_expect(isnan(y[1]));
    net_finish(&net);
}

// e^score would overflow without the greatest taken off first.
Test(graph_ops, attention_stands_great_scores) {
    static const Real features[] = {2e5, -3e5, 0, 4e5, -1, 1, 7e5, 0};
    static const GraphAttentionParams params = {.heads = 1, .concat = true, .negative_slope = 0.2};
    int x;
    Net net = graph_net(graphs[2], SHAPE(1), &x);
    const Real *y = run(&net, attention(&net, &params, x, 1), features);
    for (size_t i = 0; i < net.outputs; i++)
        cr_expect(isfinite(y[i]), "[%zu] is %g", i, (double)y[i]);
    net_finish(&net);
}

// A random graph of a thousand nodes, and a net with every operator.
static Net large_net(int *ret_output) {
    enum { NODES = 1000, EDGES = 6000 };
    static const GraphAttentionParams params = {
        .heads = 3, .concat = true, .dropout = 0.3, .negative_slope = 0.2};
    adjacency_finish(&buffer);
    int32_t *pairs = arena_array(&arena, 2 * EDGES, sizeof(int32_t));
    Rng rng = rng_make(4, RNG_PROBE, 0, 0);
    for (int64_t i = 0; i < EDGES; i++) {
        pairs[2 * i] = (int32_t)(i % NODES);
        pairs[2 * i + 1] = (int32_t)((i % NODES + 1 + (int64_t)rng_below(&rng, NODES - 1)) % NODES);
    }
    cr_assert_eq(adjacency_init(&buffer, NODES, 1, EDGES), OK);
    adjacency_add(&buffer, NODES, pairs, EDGES);
    adjacency_close(&buffer);
    Net net = net_make();
    net.context.adjacency = &buffer.adjacency;
    int x = net_input_of(&net, SHAPE(20), GRAPH_NODES);
    x = net_op1(&net, &op_aggregate, &gcn, net_linear(&net, 0, x, 21, true));
    x = attention(&net, &params, x, 7);
    x = net_op1(&net, &op_neighbor_max, NULL, x);
    int epsilon = net_weight(&net, 0, SHAPE(1), NAN, false);
    *ret_output = net_op(&net, 0, &op_aggregate_sum, &sum, 1, &x, 1, &epsilon);
    return net;
}

Test(graph_ops, give_the_same_bits_with_any_number_of_threads) {
    Real *gradients = NULL;
    size_t bytes = 0;
    for (int threads = 1; threads <= 4; threads++) {
        int y;
        Net net = large_net(&y);
        cr_assert_eq(parallel_create(threads, &net.context.parallel), OK);
        net_prepare(&net, y, 1000,
                    &(PlanOptions){.max_rows = 1,
                                   .max_nodes = 1000,
                                   .max_edges = 6000,
                                   .backward = true,
                                   .output = y});
        net_pass(&net);
        bytes = graph_learned(net.graph) * sizeof(Real);
        if (gradients == NULL)
            gradients = memcpy(arena_array(&arena, 1, bytes), net.gradients, bytes);
        cr_expect(memcmp(gradients, net.gradients, bytes) == 0, "%d threads", threads);
        parallel_destroy(net.context.parallel);
        net_finish(&net);
    }
}
