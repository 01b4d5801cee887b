#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const RmsNormParams usual = {.epsilon = 1e-5};

static int rms_norm(Net *net, int layer, int input) {
    Shape width = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int gamma = net_weight(net, layer, width, 1, false);
    return net_op(net, layer, &op_rms_norm, &usual, 1, &input, 1, &gamma);
}

Test(rms_norm, has_the_right_gradients_on_vectors) {
    Net net = net_make();
    net_check(net, rms_norm(&net, 0, net_input(&net, SHAPE(6))), 4);
}

// Whole vectors and a rest.
Test(rms_norm, has_the_right_gradients_on_sequences) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3, 4)), 19, true);
    net_check(net, rms_norm(&net, 1, x), 4);
}

Test(rms_norm, gives_every_row_a_mean_square_of_1) {
    Net net = net_make();
    int y = rms_norm(&net, 0, net_input(&net, SHAPE(2)));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.weights, (Real[]){1, 3}, 2 * sizeof(Real));
    memcpy(net.input[0].data, (Real[]){1, 7, -300, 400}, 4 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    double second = sqrt((300 * 300 + 400 * 400) / 2.);
    assert_all_near(output.data, ((double[]){0.2, 4.2, -300 / second, 3 * 400 / second}), 4, 1e-6);
    net_finish(&net);
}
