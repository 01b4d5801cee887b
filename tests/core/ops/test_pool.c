#include <string.h>
#include "core/base/parallel.h"
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const OpDesc *const pools[] = {&op_max_pool, &op_avg_pool};

static PoolParams square(int axes, bool same, int64_t size, int64_t stride) {
    return (PoolParams){{.axes = axes,
                         .same = same,
                         .size = {axes == 1 ? 1 : size, size},
                         .stride = {axes == 1 ? 1 : stride, stride},
                         .dilation = {1, 1}}};
}

static void check_gradients(Shape row, PoolParams params, const int32_t *lengths, int64_t rows) {
    for (size_t i = 0; i < ARRAY_LENGTH(pools); i++) {
        Net net = net_make();
        int x = net_input_of(&net, row, lengths != NULL ? GRAPH_SEQUENCES : GRAPH_ROWS);
        net.context.lengths = lengths;
        net_check(net, net_op1(&net, pools[i], &params, x), rows);
    }
}

Test(pool, has_the_right_gradients) {
    for (int same = 0; same <= 1; same++)
        for (int64_t size = 1; size <= 3; size++)
            for (int64_t stride = 1; stride <= 3; stride++) {
                check_gradients(SHAPE(5, 7, 3), square(2, same, size, stride), NULL, 3);
                check_gradients(SHAPE(8, 3), square(1, same, size, stride), NULL, 3);
            }
    for (int64_t channels = 1; channels <= 9; channels++)
        check_gradients(SHAPE(4, 4, channels), square(2, false, 2, 2), NULL, 2);
}

Test(pool, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {7, 4, 0, 1, 5};
    for (int same = 0; same <= 1; same++)
        check_gradients(SHAPE(7, 2), square(1, same, 3, 2), lengths, 5);
}

// Pools one row, x [time] or [height, width], of one channel.
static void expect(const OpDesc *op, PoolParams params, Shape row, const Real *x,
                   const int32_t *lengths, size_t count, const Real *expected) {
    Net net = net_make();
    int input = net_input_of(&net, row, lengths != NULL ? GRAPH_SEQUENCES : GRAPH_ROWS);
    int y = net_op1(&net, op, &params, input);
    net.context.lengths = lengths;
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    memcpy(net.input[0].data, x, (size_t)shape_elements(&row) * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    cr_assert_eq(net.outputs, count);
    assert_all_near(output.data, expected, count, 1e-12);
    net_finish(&net);
}

Test(pool, leaves_out_what_is_outside) {
    const Real x[] = {-1, -2, -3, -4, -5};
    expect(&op_max_pool, square(1, true, 2, 2), SHAPE(5, 1), x, NULL, 3, (Real[]){-1, -3, -5});
    expect(&op_avg_pool, square(1, true, 2, 2), SHAPE(5, 1), x, NULL, 3, (Real[]){-1.5, -3.5, -5});
    expect(&op_avg_pool, square(1, false, 2, 2), SHAPE(5, 1), x, NULL, 2, (Real[]){-1.5, -3.5});
    // Three lines and columns from one before to one behind.
    const Real image[] = {1, 2, 3, 4};
    expect(&op_avg_pool, square(2, true, 3, 1), SHAPE(2, 2, 1), image, NULL, 4,
           (Real[]){2.5, 2.5, 2.5, 2.5});
}

Test(pool, leaves_out_what_is_behind_a_rows_length) {
    const Real x[] = {-1, -2, -3, -4, -5};
    expect(&op_max_pool, square(1, false, 2, 2), SHAPE(5, 1), x, (int32_t[]){3}, 2,
           (Real[]){-1, -3});
    expect(&op_avg_pool, square(1, true, 2, 2), SHAPE(5, 1), x, (int32_t[]){3}, 3,
           (Real[]){-1.5, -3, 0});
    expect(&op_max_pool, square(1, true, 2, 2), SHAPE(5, 1), x, (int32_t[]){0}, 3,
           (Real[]){0, 0, 0});
}

Test(pool, never_hides_a_nan) {
    Net net = net_make();
    PoolParams params = square(1, false, 3, 3);
    int y = net_op1(&net, &op_max_pool, &params, net_input(&net, SHAPE(3, 3)));
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    memcpy(net.input[0].data, (Real[]){(Real)NAN, 1, 1, 2, (Real)NAN, 2, 3, 3, (Real)NAN},
           9 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    for (int c = 0; c < 3; c++)
        cr_expect(isnan(output.data[c]), "channel %d", c);
    net_finish(&net);
}

Test(pool, tells_lengths_behind_it) {
    const struct {
        bool same;
        int64_t size, stride, length, expected;
    } cases[] = {{false, 3, 1, 5, 3}, {false, 3, 2, 6, 2}, {false, 3, 2, 2, 1}, {false, 3, 2, 0, 0},
                 {true, 3, 1, 5, 5},  {true, 2, 2, 5, 3},  {true, 2, 2, 0, 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        PoolParams params = square(1, cases[i].same, cases[i].size, cases[i].stride);
        cr_expect_eq(window_length(&params, &SHAPE(9, 1), cases[i].length), cases[i].expected,
                     "case %zu", i);
    }
}

Test(pool, is_the_same_on_several_threads) {
    Parallel *parallel;
    cr_assert_eq(parallel_create(3, &parallel), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(pools); i++) {
        Net net = net_make();
        PoolParams params = square(2, true, 3, 2);
        int x = net_linear(&net, 0, net_input(&net, SHAPE(40, 40, 2)), 5, true);
        int y = net_op1(&net, pools[i], &params, x);
        net_prepare(&net, y, 20, &(PlanOptions){.max_rows = 20, .backward = true, .output = y});
        net_pass(&net);
        Real *alone = memory_array(graph_learned(net.graph), sizeof(Real));
        memcpy(alone, net.gradients, graph_learned(net.graph) * sizeof(Real));
        net.context.parallel = parallel;
        net_pass(&net);
        cr_expect(memcmp(alone, net.gradients, graph_learned(net.graph) * sizeof(Real)) == 0);
        memory_free(alone);
        net_finish(&net);
    }
    parallel_destroy(parallel);
}
