#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const DropoutParams half = {0.5}, third = {1.0 / 3};

Test(dropout, has_the_right_gradients_under_one_mask) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(3)), 5, true);
    net_check(net, net_op1(&net, &op_dropout, &third, x), 5);
}

Test(dropout, has_the_right_gradients_outside_training) {
    Net net = net_make();
    net.context.training = false;
    net_check(net, net_op1(&net, &op_dropout, &half, net_input(&net, SHAPE(3))), 3);
}

// A net of dropout alone over ones: what it gives is the mask.
static Net ones(const DropoutParams *params) {
    Net net = net_make();
    int y = net_op1(&net, &op_dropout, params, net_input(&net, SHAPE(101)));
    net_prepare(&net, y, 99, &(PlanOptions){.max_rows = 99, .output = y});
    for (size_t i = 0; i < net.outputs; i++)
        net.input[0].data[i] = 1;
    return net;
}

Test(dropout, drops_its_share_and_keeps_the_mean) {
    Net net = ones(&third);
    Tensor y;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    double sum = 0, dropped = 0;
    for (size_t i = 0; i < net.outputs; i++) {
        sum += (double)y.data[i];
        dropped += y.data[i] == 0;
        cr_assert(y.data[i] == 0 || fabs((double)y.data[i] - 1.5) < 1e-6);
    }
    assert_near(dropped / (double)net.outputs, 1.0 / 3, 0.02);
    assert_near(sum / (double)net.outputs, 1, 0.03);
    net_finish(&net);
}

Test(dropout, depends_on_seed_and_step_alone) {
    Net net = ones(&half);
    size_t bytes = net.outputs * sizeof(Real);
    Real *first = memory_array(net.outputs, sizeof(Real));
    Tensor y;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    memcpy(first, y.data, bytes);
    net.context.step++;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    cr_expect(memcmp(first, y.data, bytes) != 0);
    net.context.step--;
    net.context.seed++;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    cr_expect(memcmp(first, y.data, bytes) != 0);
    net.context.seed--;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    cr_expect(memcmp(first, y.data, bytes) == 0);
    memory_free(first);
    net_finish(&net);
}

Test(dropout, passes_everything_outside_training) {
    Net net = ones(&half);
    net.context.training = false;
    Tensor y;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    for (size_t i = 0; i < net.outputs; i++)
        cr_assert_eq(y.data[i], 1);
    net_finish(&net);
}

Test(dropout, gives_the_same_on_two_threads) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(2)), 3000, true);
    net_check_threads(net, net_op1(&net, &op_dropout, &third, x), 11);
}
