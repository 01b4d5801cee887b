// Parts of layers: a few operators with their weights.
#include "core/layers/parts.h"
#include <math.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/ops/ops.h"

enum { NAME_BYTES = 64 };

static int add_weight(LayerBuild *build, const char *prefix, const char *name, Shape shape,
                      Selection init, double fill) {
    char full[NAME_BYTES];
    snprintf(full, sizeof(full), "%s%s", prefix, name);
    double fan_in = shape.rank == 2 ? (double)shape.dim[0] : 0;
    return layer_weight(build, full, shape, init, fan_in, (double)shape_last(&shape), fill, false);
}

int part_linear(LayerBuild *build, const char *prefix, int64_t units, Selection kernel_init,
                int input) {
    int64_t in = shape_last(layer_shape(build, input));
    int weight[2] = {add_weight(build, prefix, "kernel", SHAPE(in, units), kernel_init, NAN)};
    if (weight[0] < 0)
        return weight[0];
    weight[1] = add_weight(build, prefix, "bias", SHAPE(units), (Selection){0}, 0);
    if (weight[1] < 0)
        return weight[1];
    LinearParams *linear = arena_new(build->arena, LinearParams);
    if (linear == NULL)
        return ERR_NO_MEMORY;
    linear->units = units;
    return layer_append(build, &op_linear, linear, 1, &input, 2, weight);
}

int part_layer_norm(LayerBuild *build, const char *prefix, int input) {
    static const LayerNormParams usual = {.epsilon = 1e-5};
    Shape width = SHAPE(shape_last(layer_shape(build, input)));
    int weight[2] = {add_weight(build, prefix, "gamma", width, (Selection){0}, 1)};
    if (weight[0] < 0)
        return weight[0];
    weight[1] = add_weight(build, prefix, "beta", width, (Selection){0}, 0);
    if (weight[1] < 0)
        return weight[1];
    return layer_append(build, &op_layer_norm, &usual, 1, &input, 2, weight);
}

int part_dropout(LayerBuild *build, double rate, int input) {
    if (rate == 0)
        return input;
    DropoutParams *dropout = arena_new(build->arena, DropoutParams);
    if (dropout == NULL)
        return ERR_NO_MEMORY;
    dropout->rate = rate;
    return layer_append(build, &op_dropout, dropout, 1, &input, 0, NULL);
}

// Queries, keys and values side by side.
static int project_inputs(LayerBuild *build, const char *prefix, int64_t units, int input) {
    static const char *const kernels[] = {"query_kernel", "key_kernel", "value_kernel"};
    static const char *const biases[] = {"query_bias", "key_bias", "value_bias"};
    int64_t width = shape_last(layer_shape(build, input));
    Selection init = layer_kernel_init(build, (Selection){0}, (Selection){0});
    int weight[2 * ARRAY_LENGTH(kernels)];
    for (size_t j = 0; j < ARRAY_LENGTH(kernels); j++) {
        int kernel = add_weight(build, prefix, kernels[j], SHAPE(width, units), init, NAN);
        if (kernel < 0)
            return kernel;
        int bias = add_weight(build, prefix, biases[j], SHAPE(units), (Selection){0}, 0);
        if (bias < 0)
            return bias;
        weight[2 * j] = kernel;
        weight[2 * j + 1] = bias;
    }
    JointLinearParams *joint = arena_new(build->arena, JointLinearParams);
    if (joint == NULL)
        return ERR_NO_MEMORY;
    *joint = (JointLinearParams){ARRAY_LENGTH(kernels), units};
    return layer_append(build, &op_joint_linear, joint, 1, &input, ARRAY_LENGTH(weight), weight);
}

int part_attention(LayerBuild *build, const char *prefix, const PartAttention *attention,
                   int input) {
    const Shape *shape = layer_shape(build, input);
    if (shape->rank != 2) {
        char text[SHAPE_TEXT];
        return layer_fail(build, NULL,
                          "it looks from step to step of a sequence [time, features], which its "
                          "input %s is not",
                          shape_text(shape, text));
    }
    int64_t width = shape_last(shape);
    if (attention->units % attention->heads != 0)
        return layer_fail(build, "heads",
                          "must divide the %lld units evenly: each head has its share of them",
                          (long long)attention->units);
    int node = project_inputs(build, prefix, attention->units, input);
    if (node < 0)
        return node;
    AttentionParams *params = arena_new(build->arena, AttentionParams);
    if (params == NULL)
        return ERR_NO_MEMORY;
    *params = (AttentionParams){attention->heads, attention->causal, attention->dropout};
    node = layer_append(build, &op_attention, params, 1, &node, 0, NULL);
    if (node < 0)
        return node;
    char output[NAME_BYTES];
    snprintf(output, sizeof(output), "%soutput_", prefix);
    return part_linear(build, output, width,
                       layer_kernel_init(build, (Selection){0}, (Selection){0}), node);
}
