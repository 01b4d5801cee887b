#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

static const AttentionParams one = {.heads = 1}, causal = {.heads = 2, .causal = true},
                             dropped = {.heads = 2, .dropout = 0.4},
                             causal_dropped = {.heads = 1, .causal = true, .dropout = 0.3};

static int attention(Net *net, const AttentionParams *params, int input) {
    return net_op(net, 0, &op_attention, params, 1, &input, 0, NULL);
}

static void check(const AttentionParams *params, Shape shape, const int32_t *lengths,
                  int64_t rows) {
    Net net = net_make();
    net.context.lengths = lengths;
    net_check(net, attention(&net, params, net_input_of(&net, shape, GRAPH_SEQUENCES)), rows);
}

Test(attention, has_the_right_gradients) {
    check(&one, SHAPE(4, 9), NULL, 2);
    check(&causal, SHAPE(5, 12), NULL, 2);
}

Test(attention, has_the_right_gradients_beside_padding) {
    const int32_t lengths[] = {4, 1, 0, 5};
    check(&one, SHAPE(5, 6), lengths, 4);
    check(&causal, SHAPE(5, 12), lengths, 4);
}

Test(attention, has_the_right_gradients_under_one_mask) {
    check(&dropped, SHAPE(6, 12), NULL, 2);
    check(&causal_dropped, SHAPE(6, 6), (const int32_t[]){6, 4}, 2);
}

// More steps than a tile has, so that maxima and sums are carried from one to the next.
Test(attention, has_the_right_gradients_over_several_tiles) {
    check(&one, SHAPE(130, 3), NULL, 1);
    check(&causal_dropped, SHAPE(70, 3), (const int32_t[]){67}, 1);
}

// By the formula, without tiles.
static void attend_plainly(const AttentionParams *params, const Real *x, int time, int units,
                           int length, Real *y) {
    int width = units / (int)params->heads;
    memset(y, 0, (size_t)(time * units) * sizeof(Real));
    for (int head = 0; head < params->heads; head++)
        for (int t = 0; t < length; t++) {
            const Real *q = x + t * 3 * units + head * width;
            int seen = params->causal ? t + 1 : length;
            double p[256], sum = 0;
            for (int j = 0; j < seen; j++) {
                const Real *k = x + j * 3 * units + units + head * width;
                double s = 0;
                for (int c = 0; c < width; c++)
                    s += q[c] * k[c];
                sum += p[j] = exp(s / sqrt(width));
            }
            for (int j = 0; j < seen; j++)
                for (int c = 0; c < width; c++)
                    y[t * units + head * width + c] +=
                        p[j] / sum * x[j * 3 * units + 2 * units + head * width + c];
        }
}

static void compare(const AttentionParams *params, int time, int units, int length) {
    Net net = net_make();
    const int32_t lengths[] = {time, length};
    net.context.lengths = lengths;
    int x = net_input_of(&net, SHAPE(time, 3 * units), GRAPH_SEQUENCES);
    int y = attention(&net, params, x);
    net_prepare(&net, y, 2, &(PlanOptions){.max_rows = 2, .output = y});
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    Real *expected = memory_array((size_t)(time * units), sizeof(Real));
    for (int r = 0; r < 2; r++) {
        attend_plainly(params, net.input[0].data + r * time * 3 * units, time, units, lengths[r],
                       expected);
        assert_all_near(output.data + r * time * units, expected, time * units, 1e-12);
    }
    memory_free(expected);
    net_finish(&net);
}

Test(attention, is_the_formula) {
    compare(&one, 7, 4, 3);
    compare(&causal, 7, 4, 0);
    compare(&one, 200, 2, 129);
    compare(&causal, 200, 2, 64);
}

Test(attention, survives_large_scores) {
    Net net = net_make();
    int y = attention(&net, &one, net_input(&net, SHAPE(3, 3)));
    net_prepare(&net, y, 1, &(PlanOptions){.max_rows = 1, .output = y});
    memcpy(net.input[0].data, (Real[]){1000, 1000, 1, 1000, -1000, 2, -1000, 1000, 3},
           9 * sizeof(Real));
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    assert_all_near(output.data, ((double[]){2, 2, 2}), 3, 1e-12);
    net_finish(&net);
}

// Values of 1 and queries of 0: an output is the kept share of the probabilities.
Test(attention, drops_its_share_and_keeps_the_mean) {
    enum { ROWS = 4, TIME = 100 };
    Net net = net_make();
    int y = attention(&net, &dropped, net_input(&net, SHAPE(TIME, 6)));
    net_prepare(&net, y, ROWS, &(PlanOptions){.max_rows = ROWS, .output = y});
    for (int i = 0; i < ROWS * TIME * 6; i++)
        net.input[0].data[i] = i % 6 < 4 ? 0 : 1;
    Tensor output;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &output);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < net.outputs; i++) {
        sum += output.data[i];
        squares += (output.data[i] - 1) * (output.data[i] - 1);
    }
    assert_near(sum / (double)net.outputs, 1, 0.01);
    // Variance of a mean of 100 numbers that are 0 or 1 / 0.6.
    assert_near(squares / (double)net.outputs, 0.4 / 0.6 / TIME, 0.001);
    net_finish(&net);
}

Test(attention, gives_the_same_on_two_threads) {
    Net net = net_make();
    int x = net_linear(&net, 0, net_input(&net, SHAPE(90, 4)), 12, true);
    net_check_threads(net, attention(&net, &dropped, x), 6);
}

Test(attention, refuses_heads_that_do_not_divide_its_units) {
    Net net = net_make();
    char why[OP_WHY];
    int x = net_input(&net, SHAPE(4, 9));
    cr_expect_lt(graph_add(net.graph, 0, &op_attention, &causal, 1, &x, 0, NULL, why), 0);
    cr_expect_not_null(strstr(why, "3 units do not divide evenly among 2 heads"), "%s", why);
    net_finish(&net);
}
