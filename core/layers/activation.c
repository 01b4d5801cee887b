// An activation as a layer of its own.
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"

typedef struct ActivationLayerParams {
    Selection function;
    double alpha;
} ActivationLayerParams;

static const ParamSpec params[] = {
    {.name = "function",
     .type = PARAM_ENTRY,
     .offset = offsetof(ActivationLayerParams, function),
     .required = true,
     .registry = &activation_registry,
     .help = "which one"},
    {.name = "alpha",
     .type = PARAM_NUMBER,
     .offset = offsetof(ActivationLayerParams, alpha),
     .default_number = NAN,
     .help = "of the functions that have one; by default theirs"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const ActivationLayerParams *layer = layer_params;
    Selection function = layer->function;
    if (!isnan(layer->alpha)) {
        if (function.desc->params_size == 0)
            return layer_fail(build, "alpha", "%s has no alpha", function.desc->name);
        ActivationParams *own = arena_new(build->arena, ActivationParams);
        if (own == NULL)
            return ERR_NO_MEMORY;
        own->alpha = layer->alpha;
        function.params = own;
    }
    return layer_activate(build, function, input[0], ret_output);
}

const LayerDesc layer_activation = {
    .desc = {.name = "activation",
             .summary = "A function applied to every element, or (softmax) along the last axis.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ActivationLayerParams),
             .probes =
                 (const char *const[]){
                     "{\"input\": [5], \"layers\": [{\"type\": \"dense\", \"units\": 4}, "
                     "{\"type\": \"activation\", \"function\": \"gelu\"}]}",
                     "{\"input\": [3, 4], \"layers\": [{\"type\": \"dense\", \"units\": 4}, "
                     "{\"type\": \"activation\", \"function\": \"prelu\", \"alpha\": 0.1}, "
                     "{\"type\": \"activation\", \"function\": \"softmax\"}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
