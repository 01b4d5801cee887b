#include <string.h>
#include "core/base/parallel.h"
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

Test(batch_norm, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {0, 4, 2, 1};
    for (int training = 0; training <= 1; training++) {
        Net net = net_make();
        net.context.training = training;
        net.context.lengths = lengths;
        net_check(net, batch_norm(&net, net_input_of(&net, SHAPE(4, 3), GRAPH_SEQUENCES)), 4);
    }
}

// Padding has no part in the statistics, and is 0 behind them.
Test(batch_norm, leaves_padding_out) {
    Net net = net_make();
    int y = batch_norm(&net, net_input_of(&net, SHAPE(3, 1), GRAPH_SEQUENCES));
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    net.context.lengths = (const int32_t[]){1, 3};
    memcpy(net.weights, (Real[]){2, 1, 10, 20}, 4 * sizeof(Real)); // γ, β, mean, variance
    memcpy(net.input[0].data, (Real[]){1, 1e6, -1e6, 2, 3, 6}, 6 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    double scale = 2 / sqrt(3.5 + 1e-5);
    double expected[] = {1 - 2 * scale, 0, 0, 1 - scale, 1, 1 + 3 * scale};
    assert_all_near(output.data, expected, 6, 1e-9);
    assert_near((double)net.weights[2], 0.9 * 10 + 0.1 * 3, 1e-9);
    assert_near((double)net.weights[3], 0.9 * 20 + 0.1 * 14 / 3, 1e-9);
    net_finish(&net);
}

// Values far from 0, in many parts and a width that does not divide into vectors.
Test(batch_norm, is_exact_and_the_same_on_any_number_of_threads) {
    enum { ROWS = 40, PLACES = 300, CHANNELS = 7 };
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    Net net = net_make();
    int y = batch_norm(&net, net_input(&net, SHAPE(PLACES, CHANNELS)));
    PlanOptions options = {.max_rows = ROWS, .backward = true, .keep_all = true, .output = y};
    net_prepare(&net, y, ROWS, &options);
    plan_want_input_gradients(net.plan);
    size_t count = ROWS * PLACES * CHANNELS;
    double mean[CHANNELS] = {0}, variance[CHANNELS] = {0};
    for (size_t i = 0; i < count; i++) {
        net.input[0].data[i] += 1000 * (Real)(i % CHANNELS);
        mean[i % CHANNELS] += (double)net.input[0].data[i] / (ROWS * PLACES);
    }
    for (size_t i = 0; i < count; i++)
        variance[i % CHANNELS] +=
            pow((double)net.input[0].data[i] - mean[i % CHANNELS], 2) / (ROWS * PLACES);
    net_pass(&net);
    const Real *output = plan_value(net.plan, y).data, *dx = plan_gradient(net.plan, 0).data;
    for (size_t i = 0; i < count; i++) {
        size_t c = i % CHANNELS;
        double normal = ((double)net.input[0].data[i] - mean[c]) / sqrt(variance[c] + 1e-5);
        assert_near((double)output[i],
                    (double)net.weights[c] * normal + (double)net.weights[CHANNELS + c], 1e-9);
    }
    Real *kept = memory_array(2 * count, sizeof(Real));
    memcpy(kept, output, count * sizeof(Real));
    memcpy(kept + count, dx, count * sizeof(Real));
    net.context.parallel = parallel;
    net_pass(&net);
    cr_expect(memcmp(kept, output, count * sizeof(Real)) == 0);
    cr_expect(memcmp(kept + count, dx, count * sizeof(Real)) == 0);
    memory_free(kept);
    net_finish(&net);
    parallel_destroy(parallel);
}
