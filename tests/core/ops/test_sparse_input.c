// Inputs of mostly zeros that come as their numbers: the same results as whole, and what may read them.
#include "tests/core/ops/net.h"

enum { ROWS = 7, COLUMNS = 6 };

static const DropoutParams half = {0.5};
static Pattern *pattern;
static int32_t first[ROWS + 1], column[ROWS * COLUMNS];
static Real numbers[ROWS * COLUMNS], whole[ROWS * COLUMNS];

// Row r has the columns c where r·c is a multiple of 5; row 3 has none.
static void set_up(void) {
    int32_t entries = 0;
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++)
            if (r != 3 && r * c % 5 == 0) {
                whole[r * COLUMNS + c] = numbers[entries] = (Real)(1 + r - 0.3 * c);
                column[entries++] = c;
            }
        first[r + 1] = entries;
    }
    cr_assert_eq(pattern_create(ROWS, COLUMNS, first, column, &pattern), OK);
}

static void tear_down(void) {
    pattern_destroy(pattern);
}

TestSuite(sparse_input, .init = set_up, .fini = tear_down);

// Dropout twice, two products side by side, added: with and without a bias.
static Net make(bool sparse, bool drops, int *ret_output) {
    Net net = net_make();
    net.context.without_dropout = !drops;
    int x = net_input(&net, SHAPE(COLUMNS));
    x = net_op1(&net, &op_dropout, &half, net_op1(&net, &op_dropout, &half, x));
    int parts[] = {net_linear(&net, 0, x, 5, true), net_linear(&net, 1, x, 5, false)};
    *ret_output = net_op(&net, 1, &op_add, NULL, 2, parts, 0, NULL);
    cr_assert(graph_takes_pattern(net.graph, *ret_output));
    PlanOptions options = {.max_rows = ROWS,
                           .max_entries = sparse ? pattern->entries + 2 : 0,
                           .backward = true,
                           .output = *ret_output};
    net_prepare(&net, *ret_output, ROWS, &options);
    net.context.pattern = sparse ? pattern : NULL;
    memcpy(net.input[0].data, sparse ? numbers : whole,
           sizeof(Real) * (size_t)(sparse ? pattern->entries : ROWS * COLUMNS));
    return net;
}

Test(sparse_input, gives_what_the_whole_input_gives) {
    int y;
    Net sparse = make(true, false, &y), dense = make(false, false, &y);
    double f = net_pass(&sparse), g = net_pass(&dense);
    cr_expect(fabs(f - g) < 1e-12, "%.17g and %.17g", f, g);
    for (size_t i = 0; i < graph_learned(dense.graph); i++)
        cr_expect(fabs((double)(sparse.gradients[i] - dense.gradients[i])) < 1e-12, "[%zu]", i);
    net_finish(&sparse);
    net_finish(&dense);
}

Test(sparse_input, has_the_right_gradients_under_dropout) {
    int y;
    Net net = make(true, true, &y);
    net_pass(&net);
    GradcheckPart parts[4];
    size_t count = gradcheck_parts(net.graph, net.weights, net.gradients, parts);
    GradcheckOptions options = {.objective = net_objective, .context = &net};
    cr_expect_leq(gradcheck_run(&options, parts, count), 1e-6);
    net_finish(&net);
}

static void count_stored(void *context, int node, const Tensor *output, size_t stored) {
    size_t *counts = context;
    counts[node] = stored;
    cr_expect_eq(output->shape.dim[0], ROWS);
}

Test(sparse_input, tells_how_much_of_a_value_is_stored) {
    int y;
    Net net = make(true, true, &y);
    size_t counts[8] = {0};
    PlanObserver observer = {.context = counts, .forward = count_stored};
    Tensor output;
    plan_forward(net.plan, &net.context, &observer, net.input, net.weights, &output);
    cr_expect_eq(counts[1], (size_t)pattern->entries);
    cr_expect_eq(counts[2], (size_t)pattern->entries);
    cr_expect_eq(counts[3], ROWS * 5);
    net_finish(&net);
}

Test(sparse_input, is_refused_where_something_reads_all_of_it) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(COLUMNS));
    int y = net_op1(&net, &op_dropout, &half, x);
    cr_expect_not(graph_takes_pattern(net.graph, y), "an output that is itself sparse");
    int sum[] = {net_linear(&net, 0, x, COLUMNS, false), x};
    int z = net_op(&net, 0, &op_add, NULL, 2, sum, 0, NULL);
    cr_expect_not(graph_takes_pattern(net.graph, z));
    Plan *plan;
    PlanOptions options = {.max_rows = ROWS, .max_entries = 9, .output = z};
    cr_expect_eq(plan_create(net.graph, &options, &plan), ERR_INVALID);
    options = (PlanOptions){.max_rows = ROWS, .max_entries = 9, .keep_all = true, .output = sum[0]};
    cr_expect_eq(plan_create(net.graph, &options, &plan), ERR_INVALID);
    graph_destroy(net.graph);
}
