#include <string.h>
#include "tests/core/ops/net.h"

Test(reshape, has_the_right_gradients) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(2, 3)), 4, true);
    int y = net_op1(&net, &op_reshape, &(ReshapeParams){SHAPE(8)}, x);
    net_check(net, net_linear(&net, 1, y, 2, true), 3);
}

Test(reshape, refuses_another_number_of_elements) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(2, 3));
    char why[OP_WHY];
    cr_assert_eq(
        graph_add(net.graph, 0, &op_reshape, &(ReshapeParams){SHAPE(5)}, 1, &x, 0, NULL, why),
        ERR_INVALID);
    cr_assert_not_null(strstr(why, "[2, 3] and [5]"));
    graph_destroy(net.graph);
}

Test(reshape, clears_padding_that_nobody_could_tell_from_data) {
    Net net = net_make();
    int x = net_input_of(&net, SHAPE(3, 2), GRAPH_SEQUENCES);
    int y = net_op1(&net, &op_reshape, &(ReshapeParams){SHAPE(6)}, x);
    cr_expect_eq(graph_node(net.graph, y)->lengths, LENGTHS_NONE);
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    const int32_t lengths[] = {3, 1};
    net.context.lengths = lengths;
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    for (int i = 0; i < 12; i++)
        cr_expect_eq(output.data[i], i < 8 ? net.input[0].data[i] : 0, "element %d", i);
    net_finish(&net);
}

Test(reshape, keeps_lengths_where_the_first_axis_stays) {
    const struct {
        Shape from, to;
        bool keeps;
    } cases[] = {{SHAPE(4, 6), SHAPE(4, 2, 3), true},
                 {SHAPE(4), SHAPE(4, 1), true},
                 {SHAPE(4, 6), SHAPE(2, 12), false},
                 {SHAPE(4, 1), SHAPE(4), false}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        Net net = net_make();
        ReshapeParams params = {cases[i].to};
        int x = net_input_of(&net, cases[i].from, GRAPH_SEQUENCES);
        int y = net_op1(&net, &op_reshape, &params, x);
        cr_expect_eq(graph_node(net.graph, y)->lengths != LENGTHS_NONE, cases[i].keeps, "case %zu",
                     i);
        graph_destroy(net.graph);
    }
}
