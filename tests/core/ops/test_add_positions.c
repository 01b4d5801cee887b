#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

Test(add_positions, has_the_right_gradients) {
    static const AddPositionsParams learned = {0};
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3, 2)), 4, false);
    int weight = net_weight(&net, 1, SHAPE(3, 4), NAN, false);
    net_check(net, net_op(&net, 1, &op_add_positions, &learned, 1, &x, 1, &weight), 5);
}

Test(add_positions, adds_a_fixed_table_to_every_row) {
    static const Real numbers[] = {1, 2, 3, 4};
    static const AddPositionsParams fixed = {numbers};
    Net net = net_make();
    int y = net_op1(&net, &op_add_positions, &fixed, net_input(&net, SHAPE(2, 2)));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.input[0].data, (Real[]){0, 0, 0, 0, 10, 20, 30, 40}, 8 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((double[]){1, 2, 3, 4, 11, 22, 33, 44}), 8, 0);
    net_finish(&net);
}
