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
