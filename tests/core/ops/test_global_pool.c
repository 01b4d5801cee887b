#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const OpDesc *const pools[] = {&op_global_avg_pool, &op_global_max_pool};
static const OpDesc *const node_pools[] = {&op_graph_avg_pool, &op_graph_max_pool};

Test(global_pool, has_the_right_gradients) {
    for (size_t i = 0; i < ARRAY_LENGTH(pools); i++) {
        Net space = net_make();
        net_check(space, net_op1(&space, pools[i], NULL, net_input(&space, SHAPE(3, 4, 5))), 3);
        Net time = net_make();
        net_check(time, net_op1(&time, pools[i], NULL, net_input(&time, SHAPE(4, 5))), 3);
    }
}

Test(global_pool, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {4, 2, 0, 1};
    for (size_t i = 0; i < ARRAY_LENGTH(pools); i++) {
        Net net = net_make();
        int x = net_input_of(&net, SHAPE(4, 3), GRAPH_SEQUENCES);
        net.context.lengths = lengths;
        net_check(net, net_op1(&net, pools[i], NULL, x), 4);
    }
}

Test(global_pool, leaves_padding_out) {
    const double expected[][3] = {{-1.5, -3, 0}, {-1, -3, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(pools); i++) {
        Net net = net_make();
        int x = net_input_of(&net, SHAPE(2, 1), GRAPH_SEQUENCES);
        int y = net_op1(&net, pools[i], NULL, x);
        cr_expect_eq(graph_node(net.graph, y)->lengths, LENGTHS_NONE);
        net.context.lengths = (const int32_t[]){2, 1, 0};
        net_prepare(&net, y, 3, &(PlanOptions){.max_rows = 3, .output = y});
        memcpy(net.input[0].data, (Real[]){-1, -2, -3, 9, 9, 9}, 6 * sizeof(Real));
        Tensor output;
        plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
        assert_all_near(output.data, expected[i], 3, 1e-12);
        net_finish(&net);
    }
}

// Three graphs of 2, 0 and 3 nodes: forward by hand, and the gradient of f = Σ c·y.
Test(global_pool, pools_the_nodes_of_each_graph) {
    const Real x[] = {1, 8, 3, 4, 7, 2, 5, 6, 6, 1}; // [nodes, 2]
    const double expected[][6] = {{2, 6, 0, 0, 6, 3}, {3, 8, 0, 0, 7, 6}};
    const double shares[][10] = {{.5, .5, .5, .5, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3, 1. / 3},
                                 {0, 1, 1, 0, 1, 0, 0, 1, 0, 0}};
    const int graph_of[] = {0, 0, 2, 2, 2};
    AdjacencyBuffer buffer;
    cr_assert_eq(adjacency_init(&buffer, 5, 3, 2), OK);
    adjacency_clear(&buffer);
    adjacency_add(&buffer, 2, NULL, 0);
    adjacency_add(&buffer, 0, NULL, 0);
    adjacency_add(&buffer, 3, (const int32_t[]){0, 1}, 1);
    adjacency_close(&buffer);
    for (size_t i = 0; i < ARRAY_LENGTH(node_pools); i++) {
        Net net = net_make();
        int input = net_input_of(&net, SHAPE(2), GRAPH_NODES);
        int y = net_op1(&net, node_pools[i], NULL, input);
        cr_expect_not(graph_node(net.graph, y)->per_node);
        net_prepare(&net, y, 3,
                    &(PlanOptions){.max_rows = 3,
                                   .max_nodes = 5,
                                   .max_edges = 2,
                                   .backward = true,
                                   .keep_all = true,
                                   .output = y});
        plan_want_input_gradients(net.plan);
        memory_free(net.input[0].data);
        net.input[0] = (Tensor){memory_array(10, sizeof(Real)), SHAPE(5, 2)};
        memcpy(net.input[0].data, x, sizeof(x));
        net.context.adjacency = &buffer.adjacency;
        net_pass(&net);
        assert_all_near(plan_value(net.plan, y).data, expected[i], 6, 1e-12);
        const Real *dx = plan_gradient(net.plan, input).data;
        for (int n = 0; n < 5; n++)
            for (int c = 0; c < 2; c++)
                assert_near(dx[2 * n + c],
                            shares[i][2 * n + c] * net.objective[2 * graph_of[n] + c], 1e-12);
        net_finish(&net);
    }
    adjacency_finish(&buffer);
}
