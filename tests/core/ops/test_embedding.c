#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

enum { TOKENS = 4, UNITS = 3 };
static const EmbeddingParams table = {.units = UNITS};

// A net of the table alone, over rows of 3 ids, which every test sets.
static Net embedding(int64_t rows, const Real *ids) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(3));
    int weight = net_weight(&net, 0, SHAPE(TOKENS, UNITS), NAN, false);
    int y = net_op(&net, 0, &op_embedding, &table, 1, &x, 1, &weight);
    net_prepare(&net, y, rows,
                &(PlanOptions){.max_rows = rows, .backward = true, .keep_all = true, .output = y});
    plan_want_input_gradients(net.plan);
    memcpy(net.input[0].data, ids, (size_t)rows * 3 * sizeof(Real));
    return net;
}

Test(embedding, gives_the_rows_that_are_named) {
    Net net = embedding(1, (Real[]){2, 0, 2});
    Tensor y;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    for (int i = 0; i < 3; i++)
        assert_all_near(y.data + 3 * i, net.weights + (i == 1 ? 0 : 6), 3, 0);
    net_finish(&net);
}

Test(embedding, sums_the_gradients_of_every_occurrence) {
    Net net = embedding(2, (Real[]){2, 0, 2, 1, 2, 0});
    net_pass(&net);
    for (int c = 0; c < 3; c++) {
        const Real *d = net.objective + c; // of place i: d[3 i]
        assert_near(net.gradients[c], d[3] + d[15], 1e-12);
        assert_near(net.gradients[3 + c], d[9], 0);
        assert_near(net.gradients[6 + c], d[0] + d[6] + d[12], 1e-12);
        assert_near(net.gradients[9 + c], 0, 0);
    }
    net_finish(&net);
}

Test(embedding, overwrites_the_gradients_of_the_step_before) {
    Net net = embedding(1, (Real[]){3, 3, 3});
    net_pass(&net);
    memcpy(net.input[0].data, (Real[]){1, 1, 1}, 3 * sizeof(Real));
    net_pass(&net);
    for (int c = 0; c < 3; c++)
        assert_near(net.gradients[9 + c], 0, 0);
    net_finish(&net);
}

Test(embedding, gives_zeros_for_what_is_no_id) {
    const Real odd[] = {-1, 4, NAN, INFINITY, -INFINITY, (Real)1e30};
    Net net = embedding(2, odd);
    net_pass(&net);
    Tensor y;
    plan_forward(net.plan, &net.context, NULL, net.input, net.weights, &y);
    for (size_t i = 0; i < net.outputs; i++)
        cr_expect_eq(y.data[i], 0);
    for (size_t i = 0; i < 12; i++)
        cr_expect_eq(net.gradients[i], 0);
    net_finish(&net);
}

Test(embedding, has_no_gradient_by_its_ids) {
    Net net = embedding(1, (Real[]){1, 2, 3});
    net_pass(&net);
    Tensor gradient = plan_gradient(net.plan, 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(gradient.data[i], 0);
    net_finish(&net);
}

// Ids from noise: most are 0 and 1, or beyond the table.
Test(embedding, gives_the_same_on_two_threads) {
    static const EmbeddingParams wide = {.units = 96};
    Net net = net_make();
    int x = net_input(&net, SHAPE(32));
    int weight = net_weight(&net, 0, SHAPE(50, wide.units), NAN, false);
    net_check_threads(net, net_op(&net, 0, &op_embedding, &wide, 1, &x, 1, &weight), 64);
}
