#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

Test(linear, has_the_right_gradients) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(5));
    net_check(net, net_linear(&net, 0, x, 4, true), 6);
}

Test(linear, works_without_bias) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(3));
    net_check(net, net_linear(&net, 0, x, 2, false), 1);
}

Test(linear, applies_at_each_step) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(4, 3));
    int y = net_linear(&net, 0, x, 2, true);
    Shape expected = SHAPE(4, 2);
    cr_assert(shape_equal(&graph_node(net.graph, y)->shape, &expected));
    net_check(net, y, 5);
}

Test(linear, multiplies_and_adds) {
    Net net = net_make();
    int y = net_linear(&net, 0, net_input(&net, SHAPE(2)), 2, true);
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    memcpy(net.weights, (Real[]){1, 2, 3, 4, 10, 20}, 6 * sizeof(Real));
    memcpy(net.input[0].data, (Real[]){5, 7}, 2 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((Real[]){36, 58}), 2, 0);
    net_finish(&net);
}
