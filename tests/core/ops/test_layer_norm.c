#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const LayerNormParams usual = {.epsilon = 1e-5};

static int layer_norm(Net *net, int layer, int input) {
    Shape width = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int weight[] = {net_weight(net, layer, width, 1, false),
                    net_weight(net, layer, width, 0, false)};
    return net_op(net, layer, &op_layer_norm, &usual, 1, &input, 2, weight);
}

Test(layer_norm, has_the_right_gradients_on_vectors) {
    Net net = net_make();
    net_check(net, layer_norm(&net, 0, net_input(&net, SHAPE(6))), 4);
}

Test(layer_norm, has_the_right_gradients_on_sequences) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3, 4)), 5, true);
    net_check(net, layer_norm(&net, 1, x), 4);
}

Test(layer_norm, gives_every_row_mean_0_and_variance_1) {
    Net net = net_make();
    int y = layer_norm(&net, 0, net_input(&net, SHAPE(2)));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.weights, (Real[]){1, 3, 0, 1}, 4 * sizeof(Real));
    memcpy(net.input[0].data, (Real[]){1, 3, 1000, 998}, 4 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((double[]){-1, 4, 1, -2}), 4, 1e-4);
    net_finish(&net);
}

Test(layer_norm, gives_the_same_on_two_threads) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(10, 4)), 100, true);
    net_check_threads(net, layer_norm(&net, 1, x), 33);
}
