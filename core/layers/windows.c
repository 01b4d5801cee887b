// Sliding windows in the job language: convolutions and pools over one or two axes.
#include "core/layers/windows.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"

static const char *const paddings[] = {"valid", "same", NULL};

enum { PLACES_MAX = 1 << 16 };

const ParamSpec conv_params[CONV_PARAMS] = {
    {.name = "filters",
     .type = PARAM_INTEGER,
     .offset = offsetof(ConvLayerParams, filters),
     .required = true,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "channels of the output"},
    {.name = "kernel_size",
     .type = PARAM_INTEGERS,
     .offset = offsetof(ConvLayerParams, kernel_size),
     .required = true,
     .minimum = 1,
     .maximum = PLACES_MAX,
     .help = "places that a kernel covers: n, or [height, width]"},
    {.name = "strides",
     .type = PARAM_INTEGERS,
     .offset = offsetof(ConvLayerParams, strides),
     .default_number = 1,
     .minimum = 1,
     .maximum = PLACES_MAX,
     .help = "places from one output to the next: n, or [height, width]"},
    {.name = "padding",
     .type = PARAM_CHOICE,
     .offset = offsetof(ConvLayerParams, padding),
     .choices = paddings,
     .help = "\"same\": zeros around the input, so that a stride of 1 keeps its size"},
    {.name = "dilation",
     .type = PARAM_INTEGERS,
     .offset = offsetof(ConvLayerParams, dilation),
     .default_number = 1,
     .minimum = 1,
     .maximum = PLACES_MAX,
     .help = "places from one of the kernel's inputs to the next: n, or [height, width]"},
    {.name = "groups",
     .type = PARAM_INTEGER,
     .offset = offsetof(ConvLayerParams, groups),
     .default_number = 1,
     .minimum = 1,
     .maximum = 1 << 20,
     .help = "parts into which channels and filters fall, each convolved alone; as many as "
             "channels: depthwise"},
    {.name = "activation",
     .type = PARAM_ENTRY,
     .offset = offsetof(ConvLayerParams, activation),
     .default_text = "linear",
     .registry = &activation_registry,
     .help = "applied to each output"},
    {.name = "use_bias",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(ConvLayerParams, use_bias),
     .default_number = 1,
     .help = "add a learned number to each filter's outputs"},
    {.name = "kernel_init",
     .type = PARAM_ENTRY,
     .offset = offsetof(ConvLayerParams, kernel_init),
     .registry = &init_registry,
     .help = "how the kernel starts; by default he_normal before the ReLU family, GELU and Swish, "
             "else glorot_uniform"},
    {.name = "bias_init",
     .type = PARAM_ENTRY,
     .offset = offsetof(ConvLayerParams, bias_init),
     .default_text = "zeros",
     .registry = &init_registry,
     .help = "how the bias starts"},
};

const ParamSpec pool_params[POOL_PARAMS] = {
    {.name = "pool_size",
     .type = PARAM_INTEGERS,
     .offset = offsetof(PoolLayerParams, pool_size),
     .default_number = 2,
     .minimum = 1,
     .maximum = PLACES_MAX,
     .help = "places that are pooled into one: n, or [height, width]"},
    {.name = "strides",
     .type = PARAM_INTEGERS,
     .offset = offsetof(PoolLayerParams, strides),
     .minimum = 1,
     .maximum = PLACES_MAX,
     .help = "places from one output to the next: n, or [height, width]; by default pool_size"},
    {.name = "padding",
     .type = PARAM_CHOICE,
     .offset = offsetof(PoolLayerParams, padding),
     .choices = paddings,
     .help = "\"same\": windows may reach beyond the input; what is there is left out"},
};

// `param` as [h, w]; with one axis, h is 1. Refuses a list that does not fit the axes.
static int read_pair(LayerBuild *build, const char *param, const IntegerList *list, int axes,
                     int64_t ret_pair[2]) {
    if (list->count != 1 && (axes == 1 || list->count != 2))
        return layer_fail(build, param, "must be %s, not %zu numbers",
                          axes == 1 ? "one number" : "one number or [height, width]", list->count);
    ret_pair[0] = axes == 1 ? 1 : list->items[0];
    ret_pair[1] = list->items[list->count - 1];
    return OK;
}

// Refuses an input whose rank is not `axes` and the channels.
static int check_input(LayerBuild *build, int input, int axes) {
    const Shape *shape = layer_shape(build, input);
    char text[SHAPE_TEXT];
    if (shape->rank == axes + 1)
        return OK;
    if (axes == 1 && shape->rank == 1)
        return layer_fail(build, NULL,
                          "it reads sequences [time, channels], not %s: an embedding makes them of "
                          "token ids, a reshape of numbers",
                          shape_text(shape, text));
    return layer_fail(build, NULL,
                      "it reads %s, not %s: give the model's input such a shape, or put a reshape "
                      "before it",
                      axes == 1 ? "sequences [time, channels]" : "images [height, width, channels]",
                      shape_text(shape, text));
}

static int declare_weights(LayerBuild *build, const ConvLayerParams *params, const ConvParams *conv,
                           int64_t channels, int weight[2]) {
    const int64_t *size = conv->window.size;
    int64_t in = channels / conv->groups, taps = size[0] * size[1];
    double fan_in = (double)taps * (double)in;
    double fan_out = (double)taps * (double)(conv->filters / conv->groups);
    Shape shape = conv->window.axes == 1 ? SHAPE(size[1], in, conv->filters)
                                         : SHAPE(size[0], size[1], in, conv->filters);
    weight[0] = layer_weight(build, "kernel", shape,
                             layer_kernel_init(build, params->kernel_init, params->activation),
                             fan_in, fan_out, NAN, false);
    if (weight[0] < 0 || !params->use_bias)
        return weight[0];
    weight[1] = layer_weight(build, "bias", SHAPE(conv->filters), params->bias_init, fan_in,
                             fan_out, 0, false);
    return weight[1];
}

int conv_build(LayerBuild *build, const ConvLayerParams *params, int axes, int input,
               int *ret_output) {
    ConvParams *conv = arena_new(build->arena, ConvParams);
    if (conv == NULL)
        return ERR_NO_MEMORY;
    *conv = (ConvParams){.window = {.axes = axes, .same = strcmp(params->padding, "same") == 0},
                         .filters = params->filters,
                         .groups = params->groups};
    int errors[] = {
        read_pair(build, "kernel_size", &params->kernel_size, axes, conv->window.size),
        read_pair(build, "strides", &params->strides, axes, conv->window.stride),
        read_pair(build, "dilation", &params->dilation, axes, conv->window.dilation),
        check_input(build, input, axes),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++)
        if (errors[i] != OK)
            return errors[i];
    int64_t channels = shape_last(layer_shape(build, input));
    if (channels % conv->groups != 0)
        return layer_fail(build, "groups", "must divide the input's %lld channels",
                          (long long)channels);
    if (conv->filters % conv->groups != 0)
        return layer_fail(build, "filters", "must be a multiple of groups, %lld",
                          (long long)conv->groups);
    int weight[2] = {-1, -1};
    int err = declare_weights(build, params, conv, channels, weight);
    if (err < 0)
        return err;
    int node = layer_append(build, &op_conv, conv, 1, &input, params->use_bias ? 2 : 1, weight);
    if (node < 0)
        return node;
    return layer_activate(build, params->activation, node, ret_output);
}

int pool_build(LayerBuild *build, const PoolLayerParams *params, int axes, const OpDesc *op,
               int input, int *ret_output) {
    PoolParams *pool = arena_new(build->arena, PoolParams);
    if (pool == NULL)
        return ERR_NO_MEMORY;
    pool->window =
        (Window){.axes = axes, .same = strcmp(params->padding, "same") == 0, .dilation = {1, 1}};
    bool strides = params->strides.count > 0;
    int errors[] = {
        read_pair(build, "pool_size", &params->pool_size, axes, pool->window.size),
        strides ? read_pair(build, "strides", &params->strides, axes, pool->window.stride) : OK,
        check_input(build, input, axes),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(errors); i++)
        if (errors[i] != OK)
            return errors[i];
    if (!strides)
        memcpy(pool->window.stride, pool->window.size, sizeof(pool->window.stride));
    int node = layer_append(build, op, pool, 1, &input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}
