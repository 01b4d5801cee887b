#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const BatchNormParams usual = {.momentum = 0.9, .epsilon = 1e-5};

static int batch_norm(Net *net, int input) {
    Shape channels = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int weight[] = {net_weight(net, 0, channels, 1, false), net_weight(net, 0, channels, 0, false),
                    net_weight(net, 0, channels, 0.3, true),
                    net_weight(net, 0, channels, 1.7, true)};
    return net_op(net, 0, &op_batch_norm, &usual, 1, &input, 4, weight);
}

static void check(Shape row, int64_t rows, bool training) {
    Net net = net_make();
    net.context.training = training;
    net_check(net, batch_norm(&net, net_input(&net, row)), rows);
}

Test(batch_norm, has_the_right_gradients_on_vectors_in_training) {
    check(SHAPE(3), 6, true);
}

Test(batch_norm, has_the_right_gradients_on_sequences_in_training) {
    check(SHAPE(4, 3), 5, true);
}

Test(batch_norm, has_the_right_gradients_on_images_in_training) {
    check(SHAPE(3, 2, 2), 3, true);
}

Test(batch_norm, has_the_right_gradients_outside_training) {
    check(SHAPE(4, 3), 5, false);
}

Test(batch_norm, has_the_right_gradients_behind_a_product) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3)), 4, true);
    int weight[] = {net_weight(&net, 1, SHAPE(4), 1, false),
                    net_weight(&net, 1, SHAPE(4), 0, false), net_weight(&net, 1, SHAPE(4), 0, true),
                    net_weight(&net, 1, SHAPE(4), 1, true)};
    net_check(net, net_op(&net, 1, &op_batch_norm, &usual, 1, &x, 4, weight), 6);
}

// One channel over two rows of two steps: 1, 2, 3, 6. Mean 3, variance 3.5, unbiased 14 / 3.
Test(batch_norm, keeps_an_unbiased_moving_variance) {
    Net net = net_make();
    int y = batch_norm(&net, net_input(&net, SHAPE(2, 1)));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.weights, (Real[]){2, 1, 10, 20}, 4 * sizeof(Real)); // γ, β, mean, variance
    memcpy(net.input[0].data, (Real[]){1, 2, 3, 6}, 4 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    double scale = 2 / sqrt(3.5 + 1e-5);
    double expected[] = {1 - 2 * scale, 1 - scale, 1, 1 + 3 * scale};
    assert_all_near(output.data, expected, 4, 1e-6);
    assert_near((double)net.weights[2], 0.9 * 10 + 0.1 * 3, 1e-6);
    assert_near((double)net.weights[3], 0.9 * 20 + 0.1 * 14 / 3, 1e-6);
    net_finish(&net);
}

Test(batch_norm, leaves_the_moving_statistics_alone_outside_training) {
    Net net = net_make();
    net.context.training = false;
    int y = batch_norm(&net, net_input(&net, SHAPE(1)));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    memcpy(net.weights, (Real[]){2, 1, 10, 4}, 4 * sizeof(Real));
    memcpy(net.input[0].data, (Real[]){10, 14}, 2 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((double[]){1, 5}), 2, 1e-5);
    assert_all_near(net.weights, ((double[]){2, 1, 10, 4}), 4, 0);
    net_finish(&net);
}

Test(batch_norm, survives_a_batch_of_one_value) {
    Net net = net_make();
    int y = batch_norm(&net, net_input(&net, SHAPE(2)));
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .backward = true, .output = y});
    double f = net_pass(&net);
    cr_assert(isfinite(f));
    assert_all_near(net.weights + 4, ((double[]){0.3, 0.3, 1.7, 1.7}), 4, 1e-6);
    net_finish(&net);
}
