#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const JointLinearParams two = {.count = 2, .units = 3};

static int joint_linear(Net *net, int layer, int input) {
    int64_t in = shape_last(&graph_node(net->graph, input)->shape);
    int weight[4];
    for (int j = 0; j < 4; j += 2) {
        weight[j] = net_weight(net, layer, SHAPE(in, two.units), NAN, false);
        weight[j + 1] = net_weight(net, layer, SHAPE(two.units), NAN, false);
    }
    return net_op(net, layer, &op_joint_linear, &two, 1, &input, 4, weight);
}

Test(joint_linear, has_the_right_gradients) {
    Net net = net_make();
    net_check(net, joint_linear(&net, 0, net_input(&net, SHAPE(4, 5))), 3);
}

Test(joint_linear, is_dense_products_side_by_side) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(4));
    int joint = joint_linear(&net, 0, x);
    int parts[] = {net_linear(&net, 1, x, 3, true), net_linear(&net, 1, x, 3, true)};
    static const ConcatParams last = {0};
    int apart = net_op(&net, 2, &op_concat, &last, 2, parts, 0, NULL);
    int y = net_op(&net, 2, &op_add, NULL, 2, (const int[]){joint, apart}, 0, NULL);
    net_prepare(&net, y, 5, &(PlanOptions){.max_rows = 5, .keep_all = true, .output = y});
    size_t begin, end;
    graph_layer_range(net.graph, 1, &begin, &end);
    memcpy(net.weights + begin, net.weights, (end - begin) * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(plan_value(net.plan, joint).data, plan_value(net.plan, apart).data, 30, 1e-12);
    net_finish(&net);
}
