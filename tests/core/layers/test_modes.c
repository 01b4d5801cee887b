// Every layer in every mode: all combinations of its options, on every kind of input that it reads,
// gradient-checked as a net of its own (probe.h), and then with every activation that it can end with.
#include <stdio.h>
#include "core/inits/inits.h"
#include "tests/core/layers/probe.h"
#include "tests/support/coverage.h"

TestSuite(modes, .init = probe_begin, .fini = probe_end);

enum { INPUTS_MAX = 6, AXES_MAX = 6, CHOICES_MAX = 13 };

// The net is `before` and one layer of the type with `given` parameters, and of each axis one of the
// options; every combination of these and of the inputs is run.
typedef struct Mode {
    const char *type;
    const char *inputs[INPUTS_MAX];             // what stands in a probe before "layers"
    const char *given, *before;                 // NULL: nothing
    const char *options[AXES_MAX][CHOICES_MAX]; // members; "": the default
} Mode;

#define RAGGED ", \"lengths\": [6, 3, 0, 1]"
#define RING "\"graph\": {\"nodes\": 6, \"edges\": [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4]]}"
#define ARROWS                                                                                     \
    "\"graphs\": [{\"nodes\": 4, \"directed\": true, \"edges\": [[0, 1], [2, 1], [1, 3], [3, "     \
    "1]]}, {\"nodes\": 1, \"edges\": []}, {\"nodes\": 2, \"edges\": [[0, 1]]}]"
// A row of features, sequences, sequences that differ in length, images, nodes of a graph.
#define ROW "\"input\": [4]"
#define SEQUENCE "\"input\": [6, 4]"
#define SEQUENCES "\"input\": [6, 4]" RAGGED
#define IMAGE "\"input\": [3, 2, 4]"
#define GRAPH "\"input\": [4], " RING
#define GRAPHS "\"input\": [4], " ARROWS
#define ANY_INPUT                                                                                  \
    { ROW, SEQUENCE, SEQUENCES, IMAGE, GRAPH, GRAPHS }
#define OR(member)                                                                                 \
    { "", member }
#define BRANCHES                                                                                   \
    "{\"type\": \"dense\", \"units\": 3, \"name\": \"a\", \"activation\": \"tanh\"}, "             \
    "{\"type\": \"dense\", \"units\": 3, \"name\": \"b\", \"inputs\": [\"input\"]}, "
#define EVERY_FUNCTION                                                                             \
    {                                                                                              \
        "\"function\": \"linear\"", "\"function\": \"relu\"", "\"function\": \"leaky_relu\"",      \
            "\"function\": \"prelu\"", "\"function\": \"elu\"", "\"function\": \"selu\"",          \
            "\"function\": \"gelu\"", "\"function\": \"swish\"", "\"function\": \"gelu_tanh\"",    \
            "\"function\": \"sigmoid\"", "\"function\": \"tanh\"", "\"function\": \"softplus\"",   \
            "\"function\": \"softmax\""                                                            \
    }

// The first of a type's is the one that is run with every activation.
static const Mode modes[] = {
    {"dense", ANY_INPUT, "\"units\": 3", NULL, {OR("\"use_bias\": false")}},
    {"activation", ANY_INPUT, NULL, NULL, {EVERY_FUNCTION}},
    {"activation",
     {ROW, SEQUENCES},
     "\"alpha\": 0.4",
     NULL,
     {{"\"function\": \"elu\"", "\"function\": \"leaky_relu\"", "\"function\": \"prelu\""}}},
    {"activation",
     {ROW, SEQUENCES},
     NULL,
     NULL,
     {{"\"function\": {\"type\": \"elu\", \"alpha\": 0.4}",
       "\"function\": {\"type\": \"leaky_relu\", \"alpha\": 0.3}",
       "\"function\": {\"type\": \"prelu\", \"alpha\": 0.1}"}}},
    {"dropout", ANY_INPUT, "\"rate\": 0.4", NULL, {{""}}},
    {"batch_norm", ANY_INPUT, NULL, NULL, {OR("\"momentum\": 0.5"), OR("\"epsilon\": 0.02")}},
    {"layer_norm", ANY_INPUT, NULL, NULL, {OR("\"epsilon\": 0.02")}},
    {"rms_norm", ANY_INPUT, NULL, NULL, {OR("\"epsilon\": 0.02")}},
    {"group_norm",
     ANY_INPUT,
     NULL,
     NULL,
     {{"\"groups\": 1", "\"groups\": 2"}, OR("\"epsilon\": 0.02")}},
    {"group_norm", {SEQUENCES, IMAGE}, "\"groups\": 4", NULL, {{""}}}, // each channel alone
    {"flatten", {ROW, SEQUENCE, SEQUENCES, IMAGE}, NULL, NULL, {{""}}},
    {"reshape",
     {SEQUENCE, SEQUENCES, IMAGE},
     NULL,
     NULL,
     {{"\"shape\": [24]", "\"shape\": [6, 2, 2]", "\"shape\": [2, 3, 4]"}}},

    // Skips: through layers of the same width and of another, that draw, that gather statistics, that
    // look along time; then with strides.
    {"residual",
     ANY_INPUT,
     NULL,
     NULL,
     {{"\"layers\": [{\"type\": \"dense\", \"units\": 4, \"activation\": \"tanh\"}]",
       "\"layers\": [{\"type\": \"dense\", \"units\": 3}]",
       "\"layers\": [{\"type\": \"batch_norm\"}, {\"type\": \"dropout\", \"rate\": 0.3}, "
       "{\"type\": \"dense\", \"units\": 5}, {\"type\": \"activation\", \"function\": "
       "\"prelu\"}]",
       "\"layers\": [{\"type\": \"residual\", \"layers\": [{\"type\": \"dense\", \"units\": 3}]}, "
       "{\"type\": \"dense\", \"units\": 4}]"}}},
    {"residual",
     {SEQUENCE, SEQUENCES},
     NULL,
     NULL,
     {{"\"layers\": [{\"type\": \"gru\", \"units\": 3, \"return_sequences\": true}]",
       "\"layers\": [{\"type\": \"multi_head_attention\", \"heads\": 2}]",
       "\"layers\": [{\"type\": \"conv1d\", \"filters\": 3, \"kernel_size\": 3, \"padding\": "
       "\"same\"}]",
       "\"layers\": [{\"type\": \"conv1d\", \"filters\": 4, \"kernel_size\": 3, \"padding\": "
       "\"same\", \"strides\": 2}]",
       "\"layers\": [{\"type\": \"avg_pool1d\", \"padding\": \"same\"}]"}}},
    {"residual",
     {"\"input\": [5, 4, 2]"},
     NULL,
     NULL,
     {{"\"layers\": [{\"type\": \"conv2d\", \"filters\": 2, \"kernel_size\": 3, \"padding\": "
       "\"same\"}]",
       "\"layers\": [{\"type\": \"conv2d\", \"filters\": 3, \"kernel_size\": 3, \"padding\": "
       "\"same\", \"strides\": 2}]",
       "\"layers\": [{\"type\": \"conv2d\", \"filters\": 2, \"kernel_size\": 1, \"strides\": [1, "
       "2]}]"}}},
    {"residual",
     {GRAPH, GRAPHS},
     NULL,
     NULL,
     {{"\"layers\": [{\"type\": \"gcn_conv\", \"units\": 4}]",
       "\"layers\": [{\"type\": \"gat_conv\", \"units\": 3, \"heads\": 2}]"}}},

#define RECURRENT OR("\"bidirectional\": true"), OR("\"return_sequences\": true")
    {"rnn",
     {SEQUENCE, SEQUENCES},
     "\"units\": 3",
     NULL,
     {RECURRENT, {"\"activation\": \"tanh\"", "\"activation\": \"relu\""}}},
    {"lstm", {SEQUENCE, SEQUENCES}, "\"units\": 3", NULL, {RECURRENT}},
    {"gru", {SEQUENCE, SEQUENCES}, "\"units\": 3", NULL, {RECURRENT, OR("\"reset_after\": false")}},

    {"add",
     ANY_INPUT,
     NULL,
     BRANCHES,
     {{"\"inputs\": [\"a\", \"b\"]", "\"inputs\": [\"a\", \"b\", \"a\", \"a\"]"}}},
    {"multiply",
     ANY_INPUT,
     NULL,
     BRANCHES,
     {{"\"inputs\": [\"a\", \"b\"]", "\"inputs\": [\"a\", \"b\", \"a\", \"a\"]"}}},
    {"concat",
     ANY_INPUT,
     NULL,
     BRANCHES,
     {{"\"inputs\": [\"a\", \"b\"]", "\"inputs\": [\"a\", \"input\", \"b\", \"a\"]"}}},
    {"concat",
     {SEQUENCE, IMAGE},
     "\"inputs\": [\"b\", \"a\", \"b\"]",
     BRANCHES,
     {{"\"axis\": 0", "\"axis\": 1", "\"axis\": -1", "\"axis\": -2"}}},

    {"embedding",
     {"\"input\": [6], \"vocabulary\": 5", "\"input\": [6], \"vocabulary\": 5" RAGGED},
     "\"units\": 3",
     NULL,
     {OR("\"vocabulary\": 8")}},
    {"positional_embedding",
     {SEQUENCE, SEQUENCES},
     NULL,
     NULL,
     {{"\"kind\": \"learned\"", "\"kind\": \"sinusoidal\""}}},

#define CONVOLUTION(strides, dilation)                                                             \
    OR("\"padding\": \"same\""), OR("\"strides\": " strides), OR("\"dilation\": " dilation),       \
        {"", "\"groups\": 2", "\"groups\": 4"}, OR("\"use_bias\": false")
    {"conv1d",
     {SEQUENCE, SEQUENCES},
     "\"filters\": 4, \"kernel_size\": 3",
     NULL,
     {CONVOLUTION("2", "2")}},
    {"conv2d",
     {"\"input\": [5, 6, 4]"},
     "\"filters\": 4, \"kernel_size\": [2, 3]",
     NULL,
     {CONVOLUTION("[2, 1]", "[1, 2]")}},
    // One tap; several filters a channel; more channels than a vector has.
    {"conv1d",
     {SEQUENCE, SEQUENCES},
     "\"filters\": 8, \"kernel_size\": 1",
     NULL,
     {OR("\"strides\": 2"), {"", "\"groups\": 2", "\"groups\": 4"}}},
    {"conv2d",
     {IMAGE},
     "\"filters\": 8, \"kernel_size\": 2",
     NULL,
     {OR("\"strides\": 2"), OR("\"padding\": \"same\""), {"", "\"groups\": 4"}}},
    {"conv2d",
     {"\"input\": [4, 3, 18]"},
     "\"filters\": 18, \"kernel_size\": [3, 2]",
     NULL,
     {OR("\"padding\": \"same\""), OR("\"strides\": 2"), {"", "\"groups\": 18"}}},

    {"multi_head_attention",
     {SEQUENCE, SEQUENCES},
     NULL,
     NULL,
     {{"\"heads\": 1", "\"heads\": 2"},
      {"", "\"units\": 6"},
      OR("\"causal\": true"),
      OR("\"dropout\": 0.3")}},
    // More steps than are worked through at a time.
    {"multi_head_attention",
     {"\"input\": [70, 2], \"lengths\": [70, 65, 3]"},
     "\"heads\": 1",
     NULL,
     {OR("\"causal\": true"), OR("\"dropout\": 0.3")}},
    {"transformer_block",
     {SEQUENCE, SEQUENCES},
     "\"heads\": 2",
     NULL,
     {{"\"norm\": \"pre\"", "\"norm\": \"post\""},
      OR("\"causal\": true"),
      OR("\"dropout\": 0.3"),
      OR("\"ff_units\": 5")}},

#define POOL                                                                                       \
    {"", "\"pool_size\": 3"}, OR("\"padding\": \"same\""), {                                       \
        "", "\"strides\": 1", "\"strides\": 3"                                                     \
    }
    {"max_pool1d", {"\"input\": [7, 3]", "\"input\": [7, 3]" RAGGED}, NULL, NULL, {POOL}},
    {"avg_pool1d", {"\"input\": [7, 3]", "\"input\": [7, 3]" RAGGED}, NULL, NULL, {POOL}},
    {"max_pool2d", {"\"input\": [5, 4, 2]"}, NULL, NULL, {POOL}},
    {"avg_pool2d", {"\"input\": [5, 4, 2]"}, NULL, NULL, {POOL}},
    {"max_pool2d",
     {"\"input\": [5, 4, 2]"},
     "\"pool_size\": [3, 2], \"strides\": [1, 3]",
     NULL,
     {OR("\"padding\": \"same\"")}},
    {"avg_pool2d",
     {"\"input\": [5, 4, 2]"},
     "\"pool_size\": [3, 2], \"strides\": [1, 3]",
     NULL,
     {OR("\"padding\": \"same\"")}},
    {"global_avg_pool", {SEQUENCE, SEQUENCES, IMAGE, GRAPHS}, NULL, NULL, {{""}}},
    {"global_max_pool", {SEQUENCE, SEQUENCES, IMAGE, GRAPHS}, NULL, NULL, {{""}}},

    // Narrower (the product goes before the sum over neighbours) and wider.
    {"gcn_conv", {GRAPH, GRAPHS}, NULL, NULL, {{"\"units\": 3", "\"units\": 6"}}},
    {"sage_conv",
     {GRAPH, GRAPHS},
     NULL,
     NULL,
     {{"\"units\": 3", "\"units\": 6"}, {"", "\"aggregator\": \"max\""}}},
    {"gat_conv",
     {GRAPH, GRAPHS},
     NULL,
     NULL,
     {{"\"units\": 3", "\"units\": 6"},
      {"", "\"heads\": 3"},
      OR("\"concat\": false"),
      OR("\"dropout\": 0.3"),
      OR("\"negative_slope\": 0.05")}},
    {"gin_conv", {GRAPH, GRAPHS}, NULL, NULL, {{"\"units\": 3", "\"units\": 6"}}},
};

static size_t choices(const char *const *list, size_t most) {
    size_t count = 0;
    while (count < most && list[count] != NULL)
        count++;
    return count;
}

static size_t combinations(const Mode *mode) {
    size_t count = choices(mode->inputs, INPUTS_MAX);
    for (size_t axis = 0; axis < AXES_MAX && mode->options[axis][0] != NULL; axis++)
        count *= choices(mode->options[axis], CHOICES_MAX);
    return count;
}

static void add_member(Text *layer, const char *member) {
    if (member == NULL || member[0] == '\0')
        return;
    text_add(layer, ", ");
    text_add(layer, member);
}

// The layer of a combination, with `more` as a last member, and *ret_input as its input.
static void write_layer(const Mode *mode, size_t number, const char *more, Text *layer,
                        const char **ret_input) {
    size_t inputs = choices(mode->inputs, INPUTS_MAX);
    *ret_input = mode->inputs[number % inputs];
    number /= inputs;
    text_add_format(layer, "{\"type\": \"%s\"", mode->type);
    add_member(layer, mode->given);
    for (size_t axis = 0; axis < AXES_MAX && mode->options[axis][0] != NULL; axis++) {
        size_t count = choices(mode->options[axis], CHOICES_MAX);
        add_member(layer, mode->options[axis][number % count]);
        number /= count;
    }
    add_member(layer, more);
    text_add(layer, "}");
}

static double check_combination(const Mode *mode, size_t number, const char *more,
                                Coverage *coverage) {
    Text layer, probe;
    const char *input;
    text_init(&layer);
    text_init(&probe);
    write_layer(mode, number, more, &layer, &input);
    text_add_format(&probe, "{%s, \"layers\": [%s%s]}", input,
                    mode->before != NULL ? mode->before : "", text_string(&layer));
    double greatest = 0;
    if (coverage != NULL)
        coverage_note(coverage, &layer_registry, json_value(&probe_arena, text_string(&layer)));
    else
        greatest = probe_check(text_string(&probe));
    text_finish(&layer);
    text_finish(&probe);
    return greatest;
}

Test(modes, have_right_gradients) {
    for (size_t m = 0; m < ARRAY_LENGTH(modes); m++)
        for (size_t number = 0; number < combinations(&modes[m]); number++)
            check_combination(&modes[m], number, NULL, NULL);
}

// By which a layer says what it ends with.
static bool is_ending(const ParamSpec *param) {
    return param->registry == &activation_registry && !param->required;
}

static const ParamSpec *ending(const Desc *desc) {
    for (size_t i = 0; i < desc->param_count; i++)
        if (is_ending(&desc->params[i]))
            return &desc->params[i];
    return NULL;
}

Test(modes, have_right_gradients_before_every_activation) {
    const char *done = "";
    for (size_t m = 0; m < ARRAY_LENGTH(modes); done = modes[m++].type) {
        const ParamSpec *param = ending(&layer_find(modes[m].type)->desc);
        if (param == NULL || strcmp(done, modes[m].type) == 0)
            continue;
        for (size_t a = 0; a < activation_registry.count; a++) {
            char member[64];
            snprintf(member, sizeof(member), "\"%s\": \"%s\"", param->name,
                     activation_registry.entries[a]->name);
            size_t inputs = choices(modes[m].inputs, INPUTS_MAX);
            for (size_t number = 0; number < inputs; number++)
                check_combination(&modes[m], number, member, NULL);
        }
    }
}

// Initial weights do not matter here, and the test before has the endings.
static bool matters(const ParamSpec *param) {
    return param->registry != &init_registry && !is_ending(param);
}

// Where a layer or a parameter is added, its modes have to be.
Test(modes, leave_out_no_layer_parameter_or_value) {
    Coverage coverage = {0};
    for (size_t m = 0; m < ARRAY_LENGTH(modes); m++)
        for (size_t number = 0; number < combinations(&modes[m]); number++)
            check_combination(&modes[m], number, NULL, &coverage);
    coverage_expect_all(&coverage, &layer_registry, matters);
    coverage_expect_all(&coverage, &activation_registry, NULL);
    text_finish(&coverage.seen);
}
