// Traces, of the double build: every probe of every layer, what an entry says of layers that hold or join others, and
// what is refused.
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/rng.h"
#include "core/model/model.h"
#include "core/train/trace.h"
#include "tests/support/json.h"

static Arena arena;

static void set_up(void) {
    arena_init(&arena, 0);
}

static void tear_down(void) {
    arena_finish(&arena);
}

TestSuite(trace, .init = set_up, .fini = tear_down);

// The answer to a body, or VALUE_NONE with the issues.
static Value answer(const char *body, Issues *issues) {
    JsonWriter writer;
    json_writer_init(&writer);
    ValueWriter out = json_value_writer(&writer);
    issues_init(issues);
    int error = trace_run(json_value(&arena, body), issues, &out);
    cr_assert(error == OK || error == ERR_INVALID, "%s: %s", body, error_name(error));
    Value value = VALUE_NONE;
    if (error == OK)
        value = json_value(&arena, arena_string(&arena, text_string(&writer.text)));
    json_writer_finish(&writer);
    return value;
}

static Value traced(const char *body) {
    Issues issues;
    Value value = answer(body, &issues);
    for (size_t i = 0; i < issues.count; i++)
        fprintf(stderr, "%s: %s\n", issues.items[i].pointer, issues.items[i].detail);
    cr_assert(value.node != NULL, "%s was refused", body);
    issues_finish(&issues);
    return value;
}

// ---- places in an answer ----

static Value item(Value list, size_t index) {
    Value at = value_child(list);
    while (index-- > 0)
        at = value_next(at);
    return at;
}

static Value entry(Value answer, const char *part, const char *layer) {
    VALUE_FOREACH(one, value_member(answer, part))
    if (strcmp(value_string(value_member(one, "layer")), layer) == 0)
        return one;
    cr_assert_fail("%s has no %s", part, layer);
    return VALUE_NONE;
}

static double number_at(Value value, size_t i, size_t j) {
    return value_number(item(item(value, i), j));
}

#define assert_near(value, expected)                                                               \
    cr_assert_float_eq((value), (expected), 1e-12, "%.17g is not %.17g", (value), (expected))

// Two values of lists and numbers: of the same shape, and alike.
static void compare(Value a, Value b, bool alike) {
    cr_assert_eq(value_kind(a), value_kind(b));
    if (value_kind(a) == VALUE_NUMBER && alike)
        assert_near(value_number(a), value_number(b));
    if (value_kind(a) != VALUE_ARRAY)
        return;
    cr_assert_eq(value_length(a), value_length(b));
    Value other = value_child(b);
    VALUE_FOREACH(one, a) {
        compare(one, other, alike);
        other = value_next(other);
    }
}

static void assert_alike(Value a, Value b) {
    compare(a, b, true);
}

static void assert_same_form(Value a, Value b) {
    compare(a, b, false);
}

// ---- every probe of every layer ----

enum { ROWS_MAX = 8 };

typedef struct Probe {
    const char *layers; // text from "layers" on
    Task task;
    const char *edges; // of a graph, whose nodes the rows are; else NULL
    int rows, output_rows;
    int64_t lengths[ROWS_MAX]; // of the inputs
    Shape output;              // of a row
    bool output_differs;       // so do the outputs' lengths
    int64_t output_lengths[ROWS_MAX];
} Probe;

static Model *model_of(const Probe *probe) {
    Text spec;
    text_init(&spec);
    text_add_format(&spec, "{%s", probe->layers);
    Issues issues;
    issues_init(&issues);
    Model *model = NULL;
    cr_assert_eq(
        model_create(json_value(&arena, text_string(&spec)), NULL, &probe->task, &issues, &model),
        OK);
    issues_finish(&issues);
    text_finish(&spec);
    return model;
}

// The probe's graph, or the first of its graphs: how many nodes it has; 0: it has none.
static int read_graph(Value given, const char *text, Probe *probe) {
    Value graph = value_member(given, "graph"), several = value_member(given, "graphs");
    if (value_kind(several) == VALUE_ARRAY)
        graph = value_child(several);
    if (value_kind(graph) != VALUE_OBJECT)
        return 0;
    const char *edges = strstr(text, "\"edges\""), *end = strstr(edges, "]]");
    bool directed = value_boolean(value_member(graph, "directed"));
    probe->edges = arena_format(&arena, "%.*s%s", (int)(end + 2 - edges), edges,
                                directed ? ", \"directed\": true" : "");
    probe->task.rows = ROWS_NODES;
    return (int)value_number(value_member(graph, "nodes"));
}

static Probe read_probe(const char *text) {
    Value given = json_value(&arena, text);
    Probe probe = {.layers = strstr(text, "\"layers\""),
                   .task = {.kind = TASK_REGRESSION, .outputs = 1}};
    VALUE_FOREACH(axis, value_member(given, "input"))
    probe.task.input.dim[probe.task.input.rank++] = (int64_t)value_number(axis);
    probe.task.vocabulary = (int64_t)value_number(value_member(given, "vocabulary"));
    bool differ = value_kind(value_member(given, "lengths")) == VALUE_ARRAY;
    VALUE_FOREACH(length, value_member(given, "lengths")) {
        cr_assert(probe.rows < ROWS_MAX);
        probe.lengths[probe.rows++] = (int64_t)fmax(1, value_number(length)); // no empty rows here
    }
    int graph_rows = read_graph(given, text, &probe);
    for (; !differ && probe.rows < (graph_rows > 0 ? graph_rows : 3); probe.rows++)
        probe.lengths[probe.rows] = probe.task.input.dim[0];
    if (differ) {
        probe.task.rows = ROWS_SEQUENCES;
        probe.lengths[0] = probe.task.input.dim[0]; // the longest decides the shape
    }
    Model *model = model_of(&probe);
    const Graph *graph = model_graph(model);
    int output = model_output(model);
    probe.output = *model_output_shape(model);
    probe.output_differs = differ && graph_length(graph, output, 1) >= 0;
    bool pooled = graph_rows > 0 && !graph_node(graph, output)->per_node;
    probe.output_rows = pooled ? 1 : probe.rows;
    for (int i = 0; i < probe.rows; i++)
        probe.output_lengths[i] = probe.output_differs
                                      ? graph_length(graph, output, probe.lengths[i])
                                      : probe.output.dim[0];
    model_destroy(model);
    return probe;
}

// Random numbers as JSON, or, below a bound, whole ones.
static void add_random(Text *text, Rng *rng, const Shape *shape, int axis, int64_t bound) {
    if (axis == shape->rank) {
        if (bound > 0)
            text_add_format(text, "%d", (int)rng_below(rng, (uint64_t)bound));
        else
            text_add_format(text, "%.6f", rng_normal(rng));
        return;
    }
    text_add(text, "[");
    for (int64_t i = 0; i < shape->dim[axis]; i++) {
        if (i > 0)
            text_add(text, ",");
        add_random(text, rng, shape, axis + 1, bound);
    }
    text_add(text, "]");
}

static void add_rows(Text *text, Rng *rng, int rows, Shape row, const int64_t *lengths,
                     int64_t bound) {
    text_add(text, "[");
    for (int i = 0; i < rows; i++) {
        row.dim[0] = lengths[i];
        if (i > 0)
            text_add(text, ",");
        add_random(text, rng, &row, 0, bound);
    }
    text_add(text, "]");
}

// A body whose targets are numbers for every output, or classes where its rows differ in length.
static void write_body(const Probe *probe, Text *body) {
    Rng rng = rng_make(4, RNG_PROBE, 0, 0);
    text_add_format(body, "{\"seed\": 3, \"dropout\": true, \"%s\": ",
                    probe->edges != NULL ? "graph\": {\"nodes" : "inputs");
    // A trace refuses what is no id of a table, which some probes ask for; every table has the first two.
    add_rows(body, &rng, probe->rows, probe->task.input, probe->lengths,
             strstr(probe->layers, "\"embedding\"") != NULL ? 2 : 0);
    if (probe->edges != NULL)
        text_add_format(body, ", %s}", probe->edges);
    text_add_format(
        body, ", \"loss\": \"%s\", \"targets\": ", probe->output_differs ? "cross_entropy" : "mse");
    Shape target = probe->output;
    target.rank -= probe->output_differs;
    add_rows(body, &rng, probe->output_rows, target, probe->output_lengths,
             probe->output_differs ? shape_last(&probe->output) : 0);
    text_add_format(body, ", \"model\": {%s}", probe->layers);
}

static void check_probe(const char *text) {
    const Probe probe = read_probe(text);
    Text body;
    text_init(&body);
    write_body(&probe, &body);
    Value result = traced(text_string(&body));
    double greatest =
        value_number(value_member(value_member(result, "check"), "max_relative_error"));
    cr_assert(greatest <= 1e-6, "%s: relative error %g", text, greatest);
    // Forward ends with what the loss sees, and backward is the same order turned round.
    Value forward = value_member(result, "forward"), backward = value_member(result, "backward");
    size_t count = value_length(forward);
    cr_assert_eq(value_length(backward), count);
    for (size_t i = 0; i < count; i++) {
        Value there = item(forward, i), back = item(backward, count - 1 - i);
        cr_assert_str_eq(value_string(value_member(there, "layer")),
                         value_string(value_member(back, "layer")));
        assert_same_form(value_member(there, "input"), value_member(back, "gradient_input"));
        assert_same_form(value_member(there, "pre_activation"),
                         value_member(back, "gradient_pre_activation"));
        assert_same_form(value_member(there, "output"), value_member(back, "gradient_output"));
    }
    Value output = value_member(item(forward, count - 1), "output");
    cr_assert_eq(value_length(output), (size_t)probe.output_rows);
    for (int i = 0; i < probe.output_rows; i++)
        cr_assert_eq(value_length(item(output, (size_t)i)), (size_t)probe.output_lengths[i]);
    text_finish(&body);
}

Test(trace, has_every_number_of_every_layer) {
    for (size_t i = 0; i < layer_registry.count; i++)
        for (const char *const *probe = layer_registry.entries[i]->probes; *probe != NULL; probe++)
            check_probe(*probe);
}

// ---- a layer that holds others, and one that joins others ----

Test(trace, puts_a_residual_behind_what_it_holds) {
    Value result = traced(
        "{\"inputs\": [[2]], \"targets\": [0], \"model\": {\"layers\": [{\"type\": \"residual\","
        " \"layers\": [{\"type\": \"dense\", \"units\": 1}]}]},"
        " \"weights\": {\"dense_1\": {\"kernel\": [[3]], \"bias\": [1]}}}");
    cr_assert_str_eq(value_string(value_member(item(value_member(result, "forward"), 0), "layer")),
                     "dense_1");
    cr_assert_str_eq(value_string(value_member(item(value_member(result, "backward"), 0), "layer")),
                     "residual_1");
    // y = 3x + 1 + x = 9; L = y², dL/dy = 18; through dense 18 · 3, through the skip 18.
    assert_near(number_at(value_member(entry(result, "forward", "residual_1"), "output"), 0, 0),
                9.);
    assert_near(
        number_at(value_member(entry(result, "backward", "dense_1"), "gradient_input"), 0, 0), 54.);
    assert_near(
        number_at(value_member(entry(result, "backward", "residual_1"), "gradient_input"), 0, 0),
        72.);
}

Test(trace, tells_what_each_reader_sends_back) {
    // a = 2x is read by b = 3a and twice by the sum a + b + a = 2a + 3a = 10x.
    Value result =
        traced("{\"inputs\": [[1]], \"targets\": [0], \"model\": {\"layers\": ["
               "{\"type\": \"dense\", \"name\": \"a\", \"units\": 1, \"use_bias\": false},"
               "{\"type\": \"dense\", \"name\": \"b\", \"units\": 1, \"use_bias\": false},"
               "{\"type\": \"add\", \"inputs\": [\"a\", \"b\", \"a\"]}]},"
               " \"weights\": {\"a\": {\"kernel\": [[2]]}, \"b\": {\"kernel\": [[3]]}}}");
    Value sum = entry(result, "forward", "add_1"), back = entry(result, "backward", "add_1");
    assert_near(number_at(value_member(sum, "output"), 0, 0), 10.);
    cr_assert_eq(value_length(value_member(sum, "input")), 3);
    assert_near(number_at(item(value_member(sum, "input"), 1), 0, 0), 6.);
    // dL/dy = 20: each place of the sum sends back 20, b 60, and a gets 100.
    for (size_t k = 0; k < 3; k++)
        assert_near(number_at(item(value_member(back, "gradient_input"), k), 0, 0), 20.);
    assert_near(number_at(value_member(entry(result, "backward", "b"), "gradient_input"), 0, 0),
                60.);
    assert_near(number_at(value_member(entry(result, "backward", "a"), "gradient_output"), 0, 0),
                100.);
}

// ---- graphs ----

#define PATH_OF_THREE                                                                              \
    "\"model\": {\"layers\": [{\"type\": \"gcn_conv\", \"units\": 1}]},"                           \
    " \"weights\": {\"gcn_conv_1\": {\"kernel\": [[1], [10]], \"bias\": [0]}}"

// 0 — 1 — 2 with degrees 2, 3, 2 (themselves included): y_0 = x_0 / 2 + x_1 / √6, with x = 1, 10 and 11 under the kernel.
Test(trace, runs_over_a_graph) {
    const double wanted[] = {0.5 + 10 / sqrt(6), 1 / sqrt(6) + 10.0 / 3 + 11 / sqrt(6),
                             10 / sqrt(6) + 5.5};
    static const char *const graphs[] = {
        "{\"nodes\": [[1, 0], [0, 1], [1, 1]], \"edges\": [[0, 1], [2, 1], [1, 0], [1, 1]]}",
        "{\"nodes\": {\"shape\": [3, 2], \"indices\": [[2, 1], [0, 0], [1, 1], [2, 0]], "
        "\"values\": [1, 1, "
        "1, 1]}, \"edges\": [[0, 1], [1, 0], [1, 2], [2, 1]], \"directed\": true}"};
    for (int i = 0; i < 2; i++) {
        Value result = traced(arena_format(
            &arena, "{\"graph\": %s, \"targets\": [1, 2, 3], " PATH_OF_THREE "}", graphs[i]));
        Value layer = entry(result, "forward", "gcn_conv_1");
        double loss = 0;
        for (size_t v = 0; v < 3; v++) {
            assert_near(number_at(value_member(layer, "output"), v, 0), wanted[v]);
            loss += (wanted[v] - (double)(v + 1)) * (wanted[v] - (double)(v + 1)) / 3;
        }
        assert_near(number_at(value_member(layer, "input"), 2, 1), 1.);
        assert_near(value_number(value_member(value_member(result, "loss"), "value")), loss);
    }
}

// As in a dataset: null is no target, and of splits the nodes that train have one.
Test(trace, counts_the_nodes_that_have_a_target) {
    static const char *const bodies[] = {
        "{\"graph\": {\"nodes\": [[1, 0], [0, 1], [1, 1]], \"edges\": [[0, 1], [1, 2]], "
        "\"targets\": [null, "
        "2, null]}, " PATH_OF_THREE "}",
        "{\"graph\": {\"nodes\": [[1, 0], [0, 1], [1, 1]], \"edges\": [[0, 1], [1, 2]], "
        "\"targets\": [5, 2, "
        "6], \"splits\": {\"train\": [1], \"test\": [0, 2]}}, " PATH_OF_THREE "}"};
    double y = 1 / sqrt(6) + 10.0 / 3 + 11 / sqrt(6);
    for (int i = 0; i < 2; i++) {
        Value result = traced(bodies[i]);
        Value back = value_member(entry(result, "backward", "gcn_conv_1"), "gradient_output");
        assert_near(value_number(value_member(value_member(result, "loss"), "value")),
                    (y - 2) * (y - 2));
        assert_near(number_at(back, 1, 0), 2 * (y - 2));
        assert_near(number_at(back, 0, 0), 0.);
        assert_near(number_at(back, 2, 0), 0.);
    }
    Value named = traced("{\"graph\": {\"nodes\": [[1], [2], [3]], \"edges\": []}, \"targets\": "
                         "[\"b\", null, \"a\"], "
                         "\"model\": {\"layers\": [{\"type\": \"sage_conv\", \"units\": 2}]}}");
    Value back = value_member(entry(named, "backward", "sage_conv_1"), "gradient_output");
    assert_near(number_at(back, 1, 0), 0.);
    cr_assert(fabs(number_at(back, 0, 0)) > 0 && fabs(number_at(back, 2, 0)) > 0);
}

Test(trace, has_one_target_for_a_graph_whose_nodes_are_pooled) {
    Value result =
        traced("{\"graph\": {\"nodes\": [[1], [2], [6]], \"edges\": [[0, 1]]}, \"targets\": [7], "
               "\"model\": {\"layers\": [{\"type\": \"global_avg_pool\"}, {\"type\": "
               "\"dense\", \"units\": 1}]}, \"weights\": {\"dense_1\": {\"kernel\": [[2]]}}}");
    assert_near(number_at(value_member(entry(result, "forward", "dense_1"), "output"), 0, 0), 6.);
    assert_near(value_number(value_member(value_member(result, "loss"), "value")), 1.);
    Value back = value_member(entry(result, "backward", "global_avg_pool_1"), "gradient_input");
    for (size_t v = 0; v < 3; v++)
        assert_near(number_at(back, v, 0), 2. * -1 * 2 / 3);
}

// ---- modes ----

static const char dropping[] =
    "{\"inputs\": [[1, 2, 3, 4, 5, 6, 7, 8]], \"targets\": [[0]], \"seed\": 1, \"dropout\": %s,"
    " \"model\": {\"layers\": [{\"type\": \"dropout\", \"rate\": 0.5}, {\"type\": \"dense\","
    " \"units\": 1}]}}";

Test(trace, drops_nothing_unless_asked) {
    Value kept = entry(traced(arena_format(&arena, dropping, "false")), "forward", "dropout_1");
    assert_alike(value_member(kept, "input"), value_member(kept, "output"));
    Value dropped = entry(traced(arena_format(&arena, dropping, "true")), "forward", "dropout_1");
    int zeros = 0;
    for (size_t i = 0; i < 8; i++) {
        double in = number_at(value_member(dropped, "input"), 0, i);
        double out = number_at(value_member(dropped, "output"), 0, i);
        cr_assert(out == 0 || out == 2 * in);
        zeros += out == 0;
    }
    cr_assert(zeros > 0 && zeros < 8);
}

static Value attended(const char *type, const char *rate, const char *dropout) {
    return traced(arena_format(&arena,
                               "{\"inputs\": [[[1, 2], [3, 4], [5, -6]]], \"targets\": [[[0, 0], "
                               "[0, 0], [0, 0]]], \"seed\": 1,"
                               " \"dropout\": %s, \"model\": {\"layers\": [{\"type\": \"%s\", "
                               "\"name\": \"a\", \"heads\": 1,"
                               " \"dropout\": %s}]}}",
                               dropout, type, rate));
}

Test(trace, drops_nothing_within_attention_unless_asked) {
    static const char *const types[] = {"multi_head_attention", "transformer_block"};
    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        Value none = value_member(attended(types[i], "0", "true"), "loss");
        Value off = value_member(attended(types[i], "0.5", "false"), "loss");
        Value on = value_member(attended(types[i], "0.5", "true"), "loss");
        assert_near(value_number(value_member(none, "value")),
                    value_number(value_member(off, "value")));
        cr_assert_neq(value_number(value_member(off, "value")),
                      value_number(value_member(on, "value")));
    }
}

Test(trace, moves_states_but_nothing_frozen) {
    Value result =
        traced("{\"inputs\": [[1], [3]], \"targets\": [[0], [0]], \"model\": {\"layers\": ["
               "{\"type\": \"batch_norm\", \"momentum\": 0.5},"
               "{\"type\": \"dense\", \"units\": 1, \"trainable\": false},"
               "{\"type\": \"dense\", \"units\": 1}]}}");
    Value update = value_member(result, "update");
    // Mean 2, unbiased variance 2.
    Value norm = value_member(update, "batch_norm_1");
    assert_near(value_number(item(value_member(value_member(norm, "moving_mean"), "after"), 0)),
                1.);
    assert_near(value_number(item(value_member(value_member(norm, "moving_variance"), "after"), 0)),
                1.5);
    Value frozen = value_member(value_member(update, "dense_1"), "kernel");
    assert_alike(value_member(frozen, "before"), value_member(frozen, "after"));
    cr_assert_eq(value_length(value_member(entry(result, "backward", "dense_1"), "gradients")), 0);
    Value checked = value_member(value_member(result, "check"), "weights");
    cr_assert_eq(value_kind(value_member(checked, "dense_1")), VALUE_MISSING);
    cr_assert_eq(value_length(checked), 2);
}

// ---- targets ----

static double loss_of(const char *targets, const char *more) {
    const char *body = arena_format(
        &arena,
        "{\"inputs\": [[1, 0], [0, 1]], \"targets\": %s%s, \"model\": {\"layers\": [{\"type\":"
        " \"dense\", \"units\": 2, \"use_bias\": false}]},"
        " \"weights\": {\"dense_1\": {\"kernel\": [[1, 2], [3, 5]]}}}",
        targets, more);
    return value_number(value_member(value_member(traced(body), "loss"), "value"));
}

Test(trace, reads_targets_by_their_form_and_the_loss) {
    // Outputs [1, 2] and [3, 5]: −log softmax of each class.
    double first[] = {log1p(exp(1)), log1p(exp(-1))}, second[] = {log1p(exp(2)), log1p(exp(-2))};
    assert_near(loss_of("[0, 1]", ""), (first[0] + second[1]) / 2);
    assert_near(loss_of("[\"b\", \"a\"]", ""), (first[1] + second[0]) / 2);
    assert_near(loss_of("[1, null]", ""), first[1]);
    assert_near(loss_of("[0, 1]", ", \"class_weight\": [1, 3]"), (first[0] + 3 * second[1]) / 4);
    assert_near(loss_of("[0, 1]", ", \"loss\": {\"type\": \"cross_entropy\", \"class_weight\":"
                                  " [1, 3]}"),
                (first[0] + 3 * second[1]) / 4);
    assert_near(loss_of("[0, 0]", ", \"class_weight\": \"balanced\""), (first[0] + second[0]) / 2);
    assert_near(loss_of("[[0, 2], [3, 1]]", ""), (1. + 16) / 4);
    assert_near(loss_of("[[0, 2], [3, 1]]", ", \"loss\": \"mae\""), (1. + 4) / 4);
    assert_near(loss_of("[[0, 1], [0.5, 1]]", ", \"loss\": \"binary_cross_entropy\""),
                (log1p(exp(1)) + log1p(exp(-2)) + log1p(exp(3)) - 1.5 + log1p(exp(-5))) / 4);
}

// ---- rows of different lengths ----

Test(trace, counts_the_tokens_of_a_vocabulary_that_is_left_out) {
    Value result = traced("{\"inputs\": [[1, 0], [4]], \"targets\": [[0, 1], [1]],"
                          " \"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 2}]}}");
    Value table =
        value_member(value_member(value_member(result, "update"), "embedding_1"), "embeddings");
    cr_assert_eq(value_length(value_member(table, "before")), 5);
    // Ids have no gradient.
    Value gradient = value_member(entry(result, "backward", "embedding_1"), "gradient_input");
    assert_near(number_at(gradient, 0, 0), 0.);
    cr_assert_eq(value_length(item(gradient, 1)), 1);
}

Test(trace, gives_each_row_as_far_as_it_goes) {
    Value result = traced(
        "{\"inputs\": [[[1], [2], [3]], [[4]]], \"targets\": [[0, 1, null], [1]],"
        " \"model\": {\"layers\": [{\"type\": \"dense\", \"units\": 2, \"use_bias\": false}]},"
        " \"weights\": {\"dense_1\": {\"kernel\": [[0, 1]]}}}");
    Value output = value_member(entry(result, "forward", "dense_1"), "output");
    cr_assert_eq(value_length(item(output, 0)), 3);
    cr_assert_eq(value_length(item(output, 1)), 1);
    assert_near(number_at(item(output, 1), 0, 1), 4.);
    // Logits [0, x]: three steps have a target.
    double loss = (log1p(exp(1)) + log1p(exp(-2)) + log1p(exp(-4))) / 3;
    assert_near(value_number(value_member(value_member(result, "loss"), "value")), loss);
    Value gradient = value_member(entry(result, "backward", "dense_1"), "gradient_output");
    cr_assert_eq(value_length(item(gradient, 1)), 1);
    assert_near(number_at(item(gradient, 0), 2, 0), 0.);
}

// ---- what is refused ----

static void expect_issue(const char *body, const char *pointer, const char *part) {
    Issues issues;
    Value value = answer(body, &issues);
    cr_assert(value.node == NULL, "%s was accepted", body);
    bool found = false;
    for (size_t i = 0; i < issues.count; i++)
        found = found || (strcmp(issues.items[i].pointer, pointer) == 0 &&
                          strstr(issues.items[i].detail, part) != NULL);
    cr_expect(found, "%s: no \"%s\" at %s, but \"%s\" at %s", body, part, pointer,
              issues.count > 0 ? issues.items[0].detail : "", issues.items[0].pointer);
    issues_finish(&issues);
}

#define NET(units) "\"model\": {\"layers\": [{\"type\": \"dense\", \"units\": " #units "}]}"

Test(trace, says_what_is_wrong_with_a_graph) {
    expect_issue("{" NET(2) ", \"graph\": [1]}", "/graph", "must be an object");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1]], \"edges\": [], \"targets\": [0]}, "
                            "\"inputs\": [[1]]}",
                 "/inputs", "must not stand beside");
    expect_issue("{" NET(2) ", \"graph\": {\"node\": [[1]], \"edges\": []}}", "/graph/node",
                 "did you mean \"nodes\"");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1], [2, 3]], \"edges\": []}}",
                 "/graph/nodes/1", "");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]]}, \"targets\": [0, 1]}",
                 "/graph/edges", "is missing");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": [[0, 2]]}, "
                            "\"targets\": [0, 1]}",
                 "/graph/edges/0/1", "from 0 to 1");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": [], \"directed\": 2}}",
                 "/graph/directed", "true or false");
    expect_issue("{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": []}}", "/targets",
                 "is required: a list of 2, one for each node");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": [], \"targets\": [null, "
                   "null]}}",
        "/graph/targets", "at least one");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": [], \"targets\": [null, "
                   "5]}}",
        "/graph/targets/1", "from 0 to 1");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": [[1], [2]], \"edges\": [], \"targets\": [0, 1], "
                   "\"splits\": {\"train\": [7]}}}",
        "/graph/splits/train/0", "from 0 to 1");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": {\"shape\": [2], \"indices\": [], \"values\": "
                   "[]}, \"edges\": []}}",
        "/graph/nodes/shape", "");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": {\"shape\": [2, 3], \"indices\": [[0, 3], [0, 1]], "
                   "\"values\": [1, null]}, \"edges\": []}}",
        "/graph/nodes/indices/0", "beyond the shape");
    expect_issue(
        "{" NET(2) ", \"graph\": {\"nodes\": {\"shape\": [2, 3], \"indices\": [[0, 2], [0, 1]], "
                   "\"values\": [1, null]}, \"edges\": []}}",
        "/graph/nodes/values/1", "a number");
}

Test(trace, says_what_is_wrong_and_where) {
    expect_issue("{" NET(2) "}", "/inputs", "required");
    expect_issue("{" NET(2) ", \"inputs\": [], \"targets\": []}", "/inputs", "1 to 64 rows");
    expect_issue("{" NET(2) ", \"inputs\": [[]], \"targets\": [0]}", "/inputs/0", "empty");
    expect_issue("{" NET(2) ", \"inputs\": [[1, 2], [1]], \"targets\": [0, 1]}", "/inputs",
                 "dense_1 cannot read");
    expect_issue("{" NET(2) ", \"inputs\": [[[1, 2]], [[1]]], \"targets\": [[0], [1]]}",
                 "/inputs/1/0", "a list of 2, not one of 1");
    expect_issue("{" NET(2) ", \"inputs\": [[1, null]], \"targets\": [0]}", "/inputs/0/1",
                 "a number, not null");
    expect_issue("{" NET(2) ", \"inputs\": [[1, 2]], \"targets\": [0, 1]}", "/targets",
                 "one for each row");
    expect_issue("{" NET(2) ", \"inputs\": [[1, 2]], \"targets\": [2]}", "/targets/0",
                 "a class number from 0 to 1");
    expect_issue("{" NET(2) ", \"inputs\": [[1, 2]], \"targets\": [0.5]}", "/targets/0", "0.5");
    expect_issue("{" NET(2) ", \"inputs\": [[1], [2], [3]], \"targets\": [\"a\", \"b\", \"c\"]}",
                 "/targets", "3 classes");
    expect_issue("{" NET(2) ", \"inputs\": [[1], [2]], \"targets\": [\"a\", 1]}", "/targets/1",
                 "a string");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [\"a\"], \"loss\": \"mse\"}",
                 "/loss", "cross_entropy fits");
    expect_issue("{" NET(1) ", \"inputs\": [[1]], \"targets\": [0], \"loss\": \"cross_entropy\"}",
                 "/loss", "an output for each class");
    expect_issue("{" NET(1) ", \"inputs\": [[1], [1]], \"targets\": [0, 2], \"loss\":"
                            " \"binary_cross_entropy\"}",
                 "/targets/1", "from 0 to 1");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [0], \"class_weight\": [1]}",
                 "/class_weight", "2 numbers");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [[0, 1]], \"class_weight\": [1, 2]}",
                 "/class_weight", "the loss is mse");
    expect_issue(
        "{" NET(2) ", \"inputs\": [[1]], \"targets\": [0], \"weights\": {\"dense_2\": {}}}",
        "/weights/dense_2", "\"dense_1\"");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [0], \"weights\": {\"dense_1\":"
                            " {\"kernal\": [[1, 2]]}}}",
                 "/weights/dense_1/kernal", "\"kernel\"");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [0], \"weights\": {\"dense_1\":"
                            " {\"kernel\": [[1, 2, 3]]}}}",
                 "/weights/dense_1/kernel/0", "[1, 2]");
    expect_issue("{" NET(2) ", \"inputs\": [[1]], \"targets\": [0], \"optimiser\": \"sgd\"}",
                 "/optimiser", "\"optimizer\"");
    expect_issue("{" NET(2) ", \"inputs\": [[[1]], [[1], [2]]], \"targets\": [[0], [0, 1, 1]]}",
                 "/targets/1", "a list of 2");
    expect_issue(
        "{" NET(2) ", \"inputs\": [[[1]], [[1], [2]]], \"targets\": [[[0, 1]], [[0, 1], [0,"
                   " 1]]]}",
        "/targets", "no loss takes");
    expect_issue(
        "{\"model\": {\"layers\": [{\"type\": \"embedding\", \"vocabulary\": 3, \"units\": 2}]},"
        " \"inputs\": [[0, 3]], \"targets\": [[0, 1]]}",
        "/model/layers/0/vocabulary", "at least 4");
    expect_issue(
        "{\"model\": {\"layers\": [{\"type\": \"embedding\", \"vocabulary\": 3, \"units\": 2}]},"
        " \"inputs\": [[0, 1.5]], \"targets\": [[0, 1]]}",
        "/inputs/0/1", "a token id from 0 to 2");
    expect_issue("{" NET(10000) ", \"inputs\": [[1]], \"targets\": [0]}", "/model",
                 "20000 parameters");
}

Test(trace, names_every_mistake_at_once) {
    Issues issues;
    Value value = answer("{" NET(2) ", \"inputs\": [[1], [\"a\"]], \"targets\": [0, 7], \"los\":"
                                    " \"mse\", \"weights\": {\"dense_1\": {\"bias\": 1}}}",
                         &issues);
    cr_assert(value.node == NULL);
    cr_assert_eq(issues.count, 4);
    issues_finish(&issues);
}

// Each allocation fails in turn, until the lack comes too late to be met, several times over.
static void lack_memory(const char *text) {
    Value body = json_value(&arena, text);
    for (long nth = 1, unmet = 0; unmet < 5; nth++) {
        cr_assert(nth < 10000);
        JsonWriter writer;
        json_writer_init(&writer);
        ValueWriter out = json_value_writer(&writer);
        Issues issues;
        issues_init(&issues);
        memory_fail_at(nth);
        int error = trace_run(body, &issues, &out);
        memory_fail_at(0);
        unmet = error == OK && !writer.text.failed ? unmet + 1 : 0;
        cr_assert(error == OK || error == ERR_NO_MEMORY, "at %ld: %s", nth, error_name(error));
        json_writer_finish(&writer);
        issues_finish(&issues);
    }
}

Test(trace, survives_the_lack_of_memory_anywhere) {
    lack_memory(
        "{\"inputs\": [[0, 1], [1]], \"targets\": [\"a\", \"b\"], \"class_weight\": [1, 2],"
        " \"model\": {\"layers\": [{\"type\": \"embedding\", \"units\": 2}, {\"type\": \"gru\","
        " \"units\": 2}, {\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\":"
        " 2}]}]}, \"optimizer\": \"adam\", \"weights\": {\"dense_1\": {\"bias\": [1, 2]}}}");
    lack_memory("{\"graph\": {\"nodes\": {\"shape\": [3, 2], \"indices\": [[0, 0], [1, 1]], "
                "\"values\": [1, 2]},"
                " \"edges\": [[0, 1], [1, 2]], \"targets\": [\"a\", \"b\", null], \"splits\": "
                "{\"train\": [0]}},"
                " \"model\": {\"layers\": [{\"type\": \"gat_conv\", \"units\": 2}]}}");
}
