// A transformer's block: attention, then a net at each step, each beside a skip.
//
//   pre:   y = x + A(norm_1(x))     z = y + F(norm_2(y))        (GPT-2; trains without warm-up)
//   post:  y = norm_1(x + A(x))     z = norm_2(y + F(y))        (the original)
//   F(y) = dense_2(activation(dense_1(y)))
//
// Dropout acts in three places, as in nanoGPT: on the attention probabilities, on A's output and on
// F's.
#include <string.h>
#include "core/base/error.h"
#include "core/layers/parts.h"
#include "core/ops/ops.h"

typedef struct BlockParams {
    int64_t heads, ff_units; // ff_units 0: four times the width
    bool causal;
    const char *norm;
    Selection activation;
    double dropout;
} BlockParams;

static const char *const norms[] = {"pre", "post", NULL};

static const ParamSpec params[] = {
    {.name = "heads",
     .type = PARAM_INTEGER,
     .offset = offsetof(BlockParams, heads),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 12,
     .help = "attentions side by side, each with its share of the width"},
    {.name = "ff_units",
     .type = PARAM_INTEGER,
     .offset = offsetof(BlockParams, ff_units),
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "hidden units of the net at each step; four times the width by default"},
    {.name = "causal",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(BlockParams, causal),
     .help = "no step sees later ones, as a language model needs"},
    {.name = "norm",
     .type = PARAM_CHOICE,
     .offset = offsetof(BlockParams, norm),
     .choices = norms,
     .help = "whether normalisation comes before attention and net, or after their skips"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(BlockParams, activation),
     .default_text = "gelu",
     .registry = &activation_registry,
     .help = "of the hidden units"},
    {.name = "dropout",
     .type = PARAM_NUMBER,
     .offset = offsetof(BlockParams, dropout),
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share dropped in training of the attention probabilities and of what attention and "
             "net add"},
};

static int add_attention(LayerBuild *build, const BlockParams *block, int input) {
    PartAttention attention = {.heads = block->heads,
                               .units = shape_last(layer_shape(build, input)),
                               .causal = block->causal,
                               .dropout = block->dropout};
    return part_attention(build, "attention.", &attention, input);
}

static int add_net(LayerBuild *build, const BlockParams *block, int input) {
    int64_t width = shape_last(layer_shape(build, input));
    int64_t hidden = block->ff_units > 0 ? block->ff_units : 4 * width;
    int node = part_linear(build, "dense_1.", hidden,
                           layer_kernel_init(build, (Selection){0}, block->activation), input);
    if (node < 0)
        return node;
    int error = layer_activate(build, block->activation, node, &node);
    if (error != OK)
        return error;
    return part_linear(build, "dense_2.", width,
                       layer_kernel_init(build, (Selection){0}, (Selection){0}), node);
}

// One half of the block: norm, branch, dropout and skip in the order that `norm` says.
static int add_half(LayerBuild *build, const BlockParams *block, const char *norm,
                    int (*branch)(LayerBuild *build, const BlockParams *block, int input),
                    int input) {
    bool pre = strcmp(block->norm, "pre") == 0;
    int node = pre ? part_layer_norm(build, norm, input) : input;
    if (node >= 0)
        node = branch(build, block, node);
    if (node >= 0)
        node = part_dropout(build, block->dropout, node);
    if (node >= 0)
        node = layer_append(build, &op_add, NULL, 2, (const int[]){node, input}, 0, NULL);
    return node < 0 || pre ? node : part_layer_norm(build, norm, node);
}

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    int node = add_half(build, layer_params, "norm_1.", add_attention, input[0]);
    if (node >= 0)
        node = add_half(build, layer_params, "norm_2.", add_net, node);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

#define PROBE(before, options)                                                                     \
    "{\"input\": [3, 4], " before "\"layers\": [{\"type\": \"transformer_block\", " options        \
    "}, {\"type\": \"dense\", \"units\": 2}]}"

const LayerDesc layer_transformer_block = {
    .desc = {.name = "transformer_block",
             .summary = "Attention between the steps and a small net at each, with skips and "
                        "normalisation.",
             .reference =
                 "Vaswani et al. 2017: Attention Is All You Need, section 3; Radford et al. "
                 "2019 (GPT-2) for \"pre\"",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(BlockParams),
             .probes =
                 (const char *const[]){
                     PROBE("", "\"heads\": 2"),
                     PROBE("", "\"heads\": 1, \"ff_units\": 5, \"causal\": true"),
                     PROBE("", "\"heads\": 2, \"norm\": \"post\", \"activation\": \"tanh\""),
                     PROBE("", "\"heads\": 4, \"norm\": \"post\", \"causal\": true"),
                     PROBE("", "\"heads\": 2, \"ff_units\": 6, \"dropout\": 0.3"),
                     PROBE("\"lengths\": [3, 1, 0, 2], ", "\"heads\": 2, \"ff_units\": 6"),
                     PROBE("\"lengths\": [2, 3], ",
                           "\"heads\": 2, \"norm\": \"post\", \"causal\": true, \"dropout\": 0.2"),
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
