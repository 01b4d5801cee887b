#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

Test(multiply, has_the_right_gradients) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(2, 3));
    int a = net_linear(&net, 0, x, 4, true), b = net_linear(&net, 1, x, 4, true);
    int c = net_linear(&net, 2, x, 4, true);
    net_check(net, net_op(&net, 3, &op_multiply, NULL, 3, (const int[]){a, b, c}, 0, NULL), 4);
}

Test(multiply, squares_where_an_input_stands_twice) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3)), 4, true);
    net_check(net, net_op(&net, 1, &op_multiply, NULL, 2, (const int[]){x, x}, 0, NULL), 4);
}

Test(multiply, multiplies_element_by_element) {
    Net net = net_make();
    int a = net_input(&net, SHAPE(2)), b = net_input(&net, SHAPE(2));
    int y = net_op(&net, 0, &op_multiply, NULL, 2, (const int[]){a, b}, 0, NULL);
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    memcpy(net.input[0].data, (Real[]){2, -3}, 2 * sizeof(Real));
    memcpy(net.input[1].data, (Real[]){5, 7}, 2 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((Real[]){10, -21}), 2, 0);
    net_finish(&net);
}

Test(multiply, refuses_inputs_of_different_shapes) {
    Net net = net_make();
    int input[] = {net_input(&net, SHAPE(2)), net_input(&net, SHAPE(3))};
    char why[OP_WHY];
    cr_expect_eq(graph_add(net.graph, 0, &op_multiply, NULL, 2, input, 0, NULL, why), ERR_INVALID);
    cr_expect_not_null(strstr(why, "[2] and [3]"));
    cr_expect_eq(graph_add(net.graph, 0, &op_multiply, NULL, 1, input, 0, NULL, why), ERR_INVALID);
    graph_destroy(net.graph);
}
