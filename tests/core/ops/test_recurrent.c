#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

enum { TIME = 5, IN = 3, UNITS = 4, ROWS = 6 };

// 0 and all steps among them; two alike.
static const int32_t lengths[ROWS] = {3, 5, 0, 1, 5, 2};

typedef struct Kind {
    const OpDesc *op;
    int64_t gates, biases;
    RecurrentParams params;
} Kind;

static const Kind kinds[] = {
    {&op_rnn, 1, 1, {.units = UNITS}},  {&op_rnn, 1, 1, {.units = UNITS, .relu = true}},
    {&op_lstm, 4, 1, {.units = UNITS}}, {&op_gru, 3, 2, {.units = UNITS, .reset_after = true}},
    {&op_gru, 3, 1, {.units = UNITS}},
};

enum { SEQUENCES = 1, BIDIRECTIONAL = 2, PADDED = 4, MODES = 8 };

static int recurrent(Net *net, const Kind *kind, int mode, int input) {
    RecurrentParams *params = arena_new(graph_arena(net->graph), RecurrentParams);
    *params = kind->params;
    params->return_sequences = mode & SEQUENCES;
    params->bidirectional = mode & BIDIRECTIONAL;
    int weight[6], weights = 0;
    int64_t columns = kind->gates * UNITS;
    while (weights < (mode & BIDIRECTIONAL ? 6 : 3)) {
        weight[weights++] = net_weight(net, 0, SHAPE(IN, columns), NAN, false);
        weight[weights++] = net_weight(net, 0, SHAPE(UNITS, columns), NAN, false);
        Shape bias = kind->biases == 2 ? SHAPE(2, columns) : SHAPE(columns);
        weight[weights++] = net_weight(net, 0, bias, NAN, false);
    }
    return net_op(net, 0, kind->op, params, 1, &input, weights, weight);
}

static Net net_of(const Kind *kind, int mode, int *ret_output) {
    Net net = net_make();
    int x = net_input_of(&net, SHAPE(TIME, IN), GRAPH_SEQUENCES);
    *ret_output = recurrent(&net, kind, mode, x);
    net.context.lengths = mode & PADDED ? lengths : NULL;
    return net;
}

Test(recurrent, has_the_right_gradients_in_every_mode) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = 0; mode < MODES; mode++) {
            int y;
            Net net = net_of(&kinds[k], mode, &y);
            net_check(net, y, ROWS);
        }
}

typedef struct Result {
    Real *output, *gradients, *input_gradients; // [outputs], [learned], [rows, TIME, IN]
    size_t outputs, learned;
} Result;

static void result_finish(Result *result) {
    memory_free(result->output);
    memory_free(result->gradients);
    memory_free(result->input_gradients);
}

static Real *copy(const Real *values, size_t count) {
    return memcpy(memory_array(count, sizeof(Real)), values, count * sizeof(Real));
}

// A pass forward and backward on `threads`, with `padding` in every step that is no data.
static Result result_of(const Kind *kind, int mode, int threads, Real padding) {
    int y;
    Net net = net_of(kind, mode, &y);
    PlanOptions options = {.max_rows = ROWS, .backward = true, .keep_all = true, .output = y};
    net_prepare(&net, y, ROWS, &options);
    plan_want_input_gradients(net.plan);
    Rng rng =
        rng_make(1, RNG_PROBE, 1, 0); // not as net_prepare, whose draws follow the output's size
    memset(net.input[0].data, 0, (size_t)ROWS * TIME * IN * sizeof(Real));
    net_draw(&rng, net.input[0].data, (size_t)ROWS * TIME * IN, 1);
    for (size_t r = 0; mode & PADDED && r < ROWS; r++)
        for (size_t i = (size_t)lengths[r] * IN; i < (size_t)TIME * IN; i++)
            net.input[0].data[r * TIME * IN + i] = padding;
    cr_assert_eq(parallel_create(threads, &net.context.parallel), OK);
    net_pass(&net);
    Result result = {.outputs = net.outputs, .learned = graph_learned(net.graph)};
    result.output = copy(plan_value(net.plan, y).data, net.outputs);
    result.gradients = copy(net.gradients, result.learned);
    result.input_gradients = copy(plan_gradient(net.plan, 0).data, (size_t)ROWS * TIME * IN);
    parallel_destroy(net.context.parallel);
    net_finish(&net);
    return result;
}

Test(recurrent, lets_nothing_in_from_padding) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = PADDED; mode < MODES; mode++) {
            Result zeros = result_of(&kinds[k], mode, 1, 0);
            Result bad = result_of(&kinds[k], mode, 1, (Real)NAN);
            cr_expect_arr_eq(bad.output, zeros.output, zeros.outputs * sizeof(Real));
            cr_expect_arr_eq(bad.gradients, zeros.gradients, zeros.learned * sizeof(Real));
            for (size_t i = 0; i < (size_t)ROWS * TIME * IN; i++) {
                bool is_data = i / IN % TIME < (size_t)lengths[i / (TIME * IN)];
                cr_expect((double)bad.input_gradients[i] == 0 || is_data);
            }
            size_t width = mode & BIDIRECTIONAL ? 2 * UNITS : UNITS;
            for (size_t i = 0; mode & SEQUENCES && i < bad.outputs; i++) {
                bool is_data = i / width % TIME < (size_t)lengths[i / (TIME * width)];
                cr_expect((double)bad.output[i] == 0 || is_data);
            }
            result_finish(&zeros);
            result_finish(&bad);
        }
}

Test(recurrent, gives_the_same_on_any_number_of_threads) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = 0; mode < MODES; mode++)
            for (int threads = 2; threads <= 3; threads++) {
                Result one = result_of(&kinds[k], mode, 1, 0);
                Result many = result_of(&kinds[k], mode, threads, 0);
                Result again = result_of(&kinds[k], mode, threads, 0);
                for (size_t i = 0; i < one.outputs; i++)
                    assert_near(many.output[i], (double)one.output[i], 1e-14);
                for (size_t i = 0; i < one.learned; i++)
                    assert_near(many.gradients[i], (double)one.gradients[i], 1e-12);
                cr_expect_arr_eq(many.output, again.output, one.outputs * sizeof(Real));
                cr_expect_arr_eq(many.gradients, again.gradients, one.learned * sizeof(Real));
                result_finish(&one);
                result_finish(&many);
                result_finish(&again);
            }
}

Test(recurrent, has_the_state_of_the_last_step_without_sequences) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        Result all = result_of(&kinds[k], PADDED | BIDIRECTIONAL | SEQUENCES, 1, 0);
        Result last = result_of(&kinds[k], PADDED | BIDIRECTIONAL, 1, 0);
        for (size_t r = 0; r < ROWS; r++)
            for (size_t u = 0; u < 2 * UNITS; u++) {
                size_t t = u < UNITS && lengths[r] > 0 ? (size_t)lengths[r] - 1 : 0;
                cr_expect_eq(last.output[r * 2 * UNITS + u],
                             all.output[(r * TIME + t) * 2 * UNITS + u]);
            }
        result_finish(&all);
        result_finish(&last);
    }
}

Test(recurrent, runs_on_fewer_rows_than_planned_and_on_none_that_have_steps) {
    static const int32_t none[ROWS] = {0};
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        int y;
        Net net = net_of(&kinds[k], SEQUENCES | BIDIRECTIONAL, &y);
        net.context.lengths = none;
        PlanOptions options = {.max_rows = 2 * ROWS, .backward = true, .output = y};
        net_prepare(&net, y, ROWS, &options);
        cr_expect_eq(net_pass(&net), 0);
        for (size_t i = 0; i < graph_learned(net.graph); i++)
            cr_expect_eq((double)net.gradients[i], 0);
        net_finish(&net);
    }
}

Test(recurrent, refuses_what_is_no_sequence) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(TIME));
    char why[OP_WHY];
    int y = graph_add(net.graph, 0, &op_lstm, &kinds[2].params, 1, &x, 0, NULL, why);
    cr_expect_eq(y, ERR_INVALID);
    cr_expect_str_eq(why, "it needs a sequence [time, features], and its input has shape [5]; an "
                          "embedding makes one of token ids");
    net_finish(&net);
}
