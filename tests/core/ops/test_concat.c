#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static void check(int axis, Shape a, Shape b, Shape expected) {
    Net net = net_make();
    int input[] = {net_input(&net, a), net_input(&net, b), 0};
    ConcatParams params = {axis};
    int y = net_op(&net, 0, &op_concat, &params, 3, input, 0, NULL);
    cr_assert(shape_equal(&graph_node(net.graph, y)->shape, &expected));
    net_check(net, y, 3);
}

Test(concat, has_the_right_gradients_along_the_only_axis) {
    check(0, SHAPE(3), SHAPE(2), SHAPE(8));
}

Test(concat, has_the_right_gradients_along_the_first_axis) {
    check(0, SHAPE(2, 3, 2), SHAPE(1, 3, 2), SHAPE(5, 3, 2));
}

Test(concat, has_the_right_gradients_along_a_middle_axis) {
    check(1, SHAPE(2, 3, 2), SHAPE(2, 1, 2), SHAPE(2, 7, 2));
}

Test(concat, has_the_right_gradients_along_the_last_axis) {
    check(2, SHAPE(2, 3, 2), SHAPE(2, 3, 4), SHAPE(2, 3, 8));
}

Test(concat, keeps_the_order_of_its_inputs) {
    Net net = net_make();
    int input[] = {net_input(&net, SHAPE(2)), net_input(&net, SHAPE(1))};
    int y = net_op(&net, 0, &op_concat, &(ConcatParams){0}, 2, input, 0, NULL);
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.input[0].data, (Real[]){1, 2, 4, 5}, 4 * sizeof(Real));
    memcpy(net.input[1].data, (Real[]){3, 6}, 2 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((Real[]){1, 2, 3, 4, 5, 6}), 6, 0);
    net_finish(&net);
}

Test(concat, refuses_axes_and_shapes_that_do_not_fit) {
    Net net = net_make();
    int input[] = {net_input(&net, SHAPE(2, 3)), net_input(&net, SHAPE(3, 3))};
    char why[OP_WHY];
    cr_assert_eq(graph_add(net.graph, 0, &op_concat, &(ConcatParams){2}, 2, input, 0, NULL, why),
                 ERR_INVALID);
    cr_assert_eq(graph_add(net.graph, 0, &op_concat, &(ConcatParams){1}, 2, input, 0, NULL, why),
                 ERR_INVALID);
    cr_assert_not_null(strstr(why, "[2, 3] and [3, 3]"));
    graph_destroy(net.graph);
}
