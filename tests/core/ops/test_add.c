#include <string.h>
#include "tests/core/ops/net.h"

Test(add, has_the_right_gradients_for_three_inputs) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(3));
    int input[] = {net_linear(&net, 0, x, 4, true), net_linear(&net, 1, x, 4, false),
                   net_input(&net, SHAPE(4))};
    net_check(net, net_op(&net, 2, &op_add, NULL, 3, input, 0, NULL), 5);
}

Test(add, counts_a_repeated_input_as_often_as_it_stands) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3)), 4, true);
    int y = net_linear(&net, 1, net_input(&net, SHAPE(2)), 4, true);
    net_check(net, net_op(&net, 2, &op_add, NULL, 4, (int[]){x, y, x, x}, 0, NULL), 5);
}

Test(add, refuses_unlike_shapes) {
    Net net = net_make();
    int input[] = {net_input(&net, SHAPE(3)), net_input(&net, SHAPE(4))};
    char why[OP_WHY];
    cr_assert_eq(graph_add(net.graph, 0, &op_add, NULL, 2, input, 0, NULL, why), ERR_INVALID);
    cr_assert_not_null(strstr(why, "[3] and [4]"));
    cr_assert_eq(graph_add(net.graph, 0, &op_add, NULL, 1, input, 0, NULL, why), ERR_INVALID);
    graph_destroy(net.graph);
}

Test(add, gives_the_same_on_two_threads) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(150, 2));
    int input[] = {net_linear(&net, 0, x, 150, true), net_linear(&net, 1, x, 150, false),
                   net_linear(&net, 2, x, 150, false)};
    net_check_threads(net, net_op(&net, 3, &op_add, NULL, 3, input, 0, NULL), 3);
}
