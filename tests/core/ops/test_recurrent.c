#include <string.h>
#include "tests/core/ops/net.h"
#include "tests/support/near.h"

typedef struct Size {
    int64_t time, in, units, rows;
} Size;

static const Size small = {5, 3, 4, 6};
static const Size large = {30, 40, 96, 40}; // work enough for three threads
enum { ROWS_MAX = 40 };

// 0 and all steps among them; some alike.
static int32_t length_of(const Size *size, size_t row) {
    static const int32_t fifths[] = {3, 5, 0, 1, 5, 2, 4};
    return fifths[row % ARRAY_LENGTH(fifths)] * (int32_t)size->time / 5;
}

typedef struct Kind {
    const OpDesc *op;
    int64_t gates, biases;
    RecurrentParams params; // but for units and mode
} Kind;

static const Kind kinds[] = {
    {&op_rnn, 1, 1, {0}},  {&op_rnn, 1, 1, {.relu = true}},
    {&op_lstm, 4, 1, {0}}, {&op_gru, 3, 2, {.reset_after = true}},
    {&op_gru, 3, 1, {0}},
};

enum { SEQUENCES = 1, BIDIRECTIONAL = 2, PADDED = 4, MODES = 8 };

static int recurrent(Net *net, const Kind *kind, const Size *size, int mode, int input) {
    RecurrentParams *params = arena_new(graph_arena(net->graph), RecurrentParams);
    *params = kind->params;
    params->units = size->units;
    params->return_sequences = mode & SEQUENCES;
    params->bidirectional = mode & BIDIRECTIONAL;
    int weight[6], weights = 0;
    int64_t columns = kind->gates * size->units;
    while (weights < (mode & BIDIRECTIONAL ? 6 : 3)) {
        weight[weights++] = net_weight(net, 0, SHAPE(size->in, columns), NAN, false);
        weight[weights++] = net_weight(net, 0, SHAPE(size->units, columns), NAN, false);
        Shape bias = kind->biases == 2 ? SHAPE(2, columns) : SHAPE(columns);
        weight[weights++] = net_weight(net, 0, bias, NAN, false);
    }
    return net_op(net, 0, kind->op, params, 1, &input, weights, weight);
}

// `lengths` [rows] belongs to the net from here on.
static Net net_of(const Kind *kind, const Size *size, int mode, int32_t *lengths, int *ret_output) {
    Net net = net_make();
    int x = net_input_of(&net, SHAPE(size->time, size->in), GRAPH_SEQUENCES);
    *ret_output = recurrent(&net, kind, size, mode, x);
    for (size_t r = 0; r < (size_t)size->rows; r++)
        lengths[r] = length_of(size, r);
    net.context.lengths = mode & PADDED ? lengths : NULL;
    return net;
}

Test(recurrent, has_the_right_gradients_in_every_mode) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = 0; mode < MODES; mode++) {
            int32_t lengths[ROWS_MAX];
            int y;
            Net net = net_of(&kinds[k], &small, mode, lengths, &y);
            net_check(net, y, small.rows);
        }
}

typedef struct Result {
    Real *output, *gradients, *input_gradients;
    size_t outputs, learned, inputs; // elements of each
} Result;

static void result_finish(Result *result) {
    memory_free(result->output);
    memory_free(result->gradients);
    memory_free(result->input_gradients);
}

static Real *copy(const Real *values, size_t count) {
    return memcpy(memory_array(count, sizeof(Real)), values, count * sizeof(Real));
}

// Whether an element of rows [rows, time, width] is data.
static bool is_data(const Size *size, size_t width, size_t element) {
    size_t step = element / width, time = (size_t)size->time;
    return step % time < (size_t)length_of(size, step / time);
}

// A pass forward and backward on `threads`, with `padding` in every step that is no data.
static Result result_of(const Kind *kind, const Size *size, int mode, int threads, Real padding) {
    int32_t lengths[ROWS_MAX];
    int y;
    Net net = net_of(kind, size, mode, lengths, &y);
    PlanOptions options = {.max_rows = size->rows, .backward = true, .keep_all = true, .output = y};
    net_prepare(&net, y, size->rows, &options);
    plan_want_input_gradients(net.plan);
    Result result = {.outputs = net.outputs,
                     .learned = graph_learned(net.graph),
                     .inputs = (size_t)(size->rows * size->time * size->in)};
    // Not as net_prepare draws them, which depends on the output's size.
    Rng rng = rng_make(1, RNG_PROBE, 1, 0);
    memset(net.input[0].data, 0, result.inputs * sizeof(Real));
    net_draw(&rng, net.input[0].data, result.inputs, 1);
    for (size_t i = 0; mode & PADDED && i < result.inputs; i++)
        if (!is_data(size, (size_t)size->in, i))
            net.input[0].data[i] = padding;
    cr_assert_eq(parallel_create(threads, &net.context.parallel), OK);
    net_pass(&net);
    result.output = copy(plan_value(net.plan, y).data, result.outputs);
    result.gradients = copy(net.gradients, result.learned);
    result.input_gradients = copy(plan_gradient(net.plan, 0).data, result.inputs);
    parallel_destroy(net.context.parallel);
    net_finish(&net);
    return result;
}

Test(recurrent, lets_nothing_in_from_padding) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = PADDED; mode < MODES; mode++) {
            Result zeros = result_of(&kinds[k], &small, mode, 1, 0);
            Result bad = result_of(&kinds[k], &small, mode, 1, (Real)NAN);
            cr_expect_arr_eq(bad.output, zeros.output, zeros.outputs * sizeof(Real));
            cr_expect_arr_eq(bad.gradients, zeros.gradients, zeros.learned * sizeof(Real));
            for (size_t i = 0; i < bad.inputs; i++)
                cr_expect(is_data(&small, (size_t)small.in, i) ||
                          (double)bad.input_gradients[i] == 0);
            size_t width = (size_t)small.units * (mode & BIDIRECTIONAL ? 2 : 1);
            for (size_t i = 0; mode & SEQUENCES && i < bad.outputs; i++)
                cr_expect(is_data(&small, width, i) || (double)bad.output[i] == 0);
            result_finish(&zeros);
            result_finish(&bad);
        }
}

// Only sums over rows may be taken in another order.
Test(recurrent, gives_the_same_on_any_number_of_threads) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++)
        for (int mode = PADDED; mode < MODES; mode += BIDIRECTIONAL | SEQUENCES) {
            Result one = result_of(&kinds[k], &large, mode, 1, 0);
            for (int threads = 2; threads <= 3; threads++) {
                Result many = result_of(&kinds[k], &large, mode, threads, 0);
                Result again = result_of(&kinds[k], &large, mode, threads, 0);
                cr_expect_arr_eq(many.output, one.output, one.outputs * sizeof(Real));
                cr_expect_arr_eq(many.input_gradients, one.input_gradients,
                                 one.inputs * sizeof(Real));
                for (size_t i = 0; i < one.learned; i++)
                    assert_near(many.gradients[i], (double)one.gradients[i], 1e-10);
                cr_expect_arr_eq(many.gradients, again.gradients, one.learned * sizeof(Real));
                result_finish(&many);
                result_finish(&again);
            }
            result_finish(&one);
        }
}

Test(recurrent, has_the_state_of_the_last_step_without_sequences) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        Result all = result_of(&kinds[k], &small, PADDED | BIDIRECTIONAL | SEQUENCES, 1, 0);
        Result last = result_of(&kinds[k], &small, PADDED | BIDIRECTIONAL, 1, 0);
        size_t units = (size_t)small.units;
        for (size_t i = 0; i < last.outputs; i++) {
            size_t row = i / (2 * units), u = i % (2 * units);
            int32_t length = length_of(&small, row);
            size_t t = u < units && length > 0 ? (size_t)length - 1 : 0;
            cr_expect_eq(last.output[i],
                         all.output[(row * (size_t)small.time + t) * 2 * units + u]);
        }
        result_finish(&all);
        result_finish(&last);
    }
}

Test(recurrent, runs_on_fewer_rows_than_planned_and_on_none_that_have_steps) {
    for (size_t k = 0; k < ARRAY_LENGTH(kinds); k++) {
        int32_t lengths[ROWS_MAX];
        int y;
        Net net = net_of(&kinds[k], &small, SEQUENCES | BIDIRECTIONAL | PADDED, lengths, &y);
        memset(lengths, 0, sizeof(lengths));
        PlanOptions options = {.max_rows = 2 * small.rows, .backward = true, .output = y};
        net_prepare(&net, y, small.rows, &options);
        cr_expect_eq(net_pass(&net), 0);
        for (size_t i = 0; i < graph_learned(net.graph); i++)
            cr_expect_eq((double)net.gradients[i], 0);
        net_finish(&net);
    }
}

Test(recurrent, refuses_what_is_no_sequence) {
    Net net = net_make();
    int x = net_input(&net, SHAPE(5));
    char why[OP_WHY];
    int y = graph_add(net.graph, 0, &op_lstm, &kinds[2].params, 1, &x, 0, NULL, why);
    cr_expect_eq(y, ERR_INVALID);
    cr_expect_str_eq(why, "it needs a sequence [time, features], and its input has shape [5]; an "
                          "embedding makes one of token ids");
    net_finish(&net);
}
