#include <string.h>
#include "core/base/parallel.h"
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static int group_norm(Net *net, int layer, int input, int64_t groups) {
    GroupNormParams *params = arena_new(graph_arena(net->graph), GroupNormParams);
    *params = (GroupNormParams){.epsilon = 1e-5, .groups = groups};
    Shape channels = SHAPE(shape_last(&graph_node(net->graph, input)->shape));
    int weight[] = {net_weight(net, layer, channels, 1, false),
                    net_weight(net, layer, channels, 0, false)};
    return net_op(net, layer, &op_group_norm, params, 1, &input, 2, weight);
}

Test(group_norm, has_the_right_gradients) {
    for (int64_t groups = 1; groups <= 4; groups *= 2) {
        Net image = net_make();
        net_check(image, group_norm(&image, 0, net_input(&image, SHAPE(3, 2, 4)), groups), 4);
        Net vector = net_make();
        int x = net_linear(&vector, 0, net_input(&vector, SHAPE(3)), 8, true);
        net_check(vector, group_norm(&vector, 1, x, groups), 4);
    }
}

Test(group_norm, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {4, 2, 0, 1};
    Net net = net_make();
    net.context.lengths = lengths;
    int x = net_input_of(&net, SHAPE(4, 6), GRAPH_SEQUENCES);
    net_check(net, group_norm(&net, 0, x, 2), 4);
}

// Two groups of one channel over two places, and padding that has no part in it.
Test(group_norm, gives_every_group_mean_0_and_variance_1) {
    Net net = net_make();
    int y = group_norm(&net, 0, net_input_of(&net, SHAPE(3, 2), GRAPH_SEQUENCES), 2);
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    net.context.lengths = (const int32_t[]){2};
    memcpy(net.weights, (Real[]){1, 3, 0, 1}, 4 * sizeof(Real));
    memcpy(net.input[0].data, (Real[]){1, 1000, 3, 998, 1e5, -1e5}, 6 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((double[]){-1, 4, 1, -2, 0, 0}), 6, 1e-4);
    net_finish(&net);
}

Test(group_norm, is_the_same_on_any_number_of_threads) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(100, 4)), 9, true);
    int y = group_norm(&net, 1, x, 3);
    net_prepare(&net, y, 60, &(PlanOptions){.max_rows = 60, .backward = true, .output = y});
    size_t bytes = graph_learned(net.graph) * sizeof(Real);
    Real *alone = memory_array(bytes, 1);
    net_pass(&net);
    memcpy(alone, net.gradients, bytes);
    net.context.parallel = parallel;
    net_pass(&net);
    cr_expect(memcmp(alone, net.gradients, bytes) == 0);
    memory_free(alone);
    net_finish(&net);
    parallel_destroy(parallel);
}

Test(group_norm, refuses_groups_that_do_not_divide_the_channels) {
    Shape output;
    char why[OP_WHY];
    cr_expect_eq(
        op_group_norm.shape(&(GroupNormParams){.groups = 3}, 1, &SHAPE(4, 8), &output, why),
        ERR_INVALID);
    cr_expect_str_eq(why, "8 channels do not fall into 3 groups");
}
