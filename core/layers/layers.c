// The layer registry, and what the layers' own files share.
#include "core/layers/layers.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include "core/base/error.h"
#include "core/ops/ops.h"

#define ENTRY(name) extern const LayerDesc layer_##name;
#include "core/layers/layers.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &layer_##name.desc,
#include "core/layers/layers.inc"
#undef ENTRY
};

const Registry layer_registry = {"layer", entries, ARRAY_LENGTH(entries)};

const LayerDesc *layer_find(const char *name) {
    return (const LayerDesc *)registry_find(&layer_registry, name);
}

const Shape *layer_shape(const LayerBuild *build, int node) {
    return &graph_node(build->graph, node)->shape;
}

int layer_fail(LayerBuild *build, const char *param, const char *format, ...) {
    char text[OP_WHY];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    issues_add(build->issues, param == NULL ? build->path : PATH_KEY(build->path, param), "%s",
               text);
    return ERR_INVALID;
}

int layer_weight(LayerBuild *build, const char *name, Shape shape, Selection init, double fan_in,
                 double fan_out, double fill, bool state) {
    GraphWeight weight = {.name = name,
                          .shape = shape,
                          .layer = build->layer,
                          .state = state,
                          .init = init,
                          .fan_in = fan_in,
                          .fan_out = fan_out,
                          .fill = init.desc == NULL ? fill : NAN};
    int index = graph_weight(build->graph, &weight);
    if (index == ERR_TOO_LARGE) {
        char text[SHAPE_TEXT];
        return layer_fail(build, NULL, "its weight \"%s\" would have shape %s, beyond the bounds",
                          name, shape_text(&shape, text));
    }
    return index;
}

int layer_append(LayerBuild *build, const OpDesc *op, const void *params, int inputs,
                 const int *input, int weights, const int *weight) {
    char why[OP_WHY];
    int node =
        graph_add(build->graph, build->layer, op, params, inputs, input, weights, weight, why);
    if (node == ERR_INVALID)
        return layer_fail(build, NULL, "%s", why);
    if (node >= 0) {
        build->pre_activation = node;
        build->activation = NULL;
    }
    return node;
}

int layer_linear(LayerBuild *build, int input, int64_t units, int kernel, int bias) {
    LinearParams *linear = arena_new(build->arena, LinearParams);
    if (linear == NULL)
        return ERR_NO_MEMORY;
    linear->units = units;
    return layer_append(build, &op_linear, linear, 1, &input, bias < 0 ? 1 : 2,
                        (const int[]){kernel, bias});
}

int layer_activate(LayerBuild *build, Selection activation, int input, int *ret_output) {
    const ActivationDesc *desc = (const ActivationDesc *)activation.desc;
    build->pre_activation = input;
    build->activation = NULL;
    if (desc == NULL || desc == activation_find("linear")) {
        *ret_output = input;
        return OK;
    }
    const ActivationParams *given = activation.params;
    ActivateParams *params = arena_new(build->arena, ActivateParams);
    if (params == NULL)
        return ERR_NO_MEMORY;
    double alpha = given == NULL || desc->desc.params_size == 0 ? NAN : given->alpha;
    *params = (ActivateParams){desc, isnan(alpha) ? 0 : (Real)alpha};
    int weight = -1, weights = 0;
    if (desc->learned) {
        Shape shape = SHAPE(shape_last(layer_shape(build, input)));
        weight = layer_weight(build, "alpha", shape, (Selection){0}, 0, 0, alpha, false);
        if (weight < 0)
            return weight;
        weights = 1;
    }
    int node = layer_append(build, activate_op(desc), params, 1, &input, weights, &weight);
    if (node < 0)
        return node;
    build->pre_activation = input;
    build->activation = desc;
    *ret_output = node;
    return OK;
}

static bool starts_by_he(const LayerBuild *build, Selection activation) {
    const ActivationDesc *own = (const ActivationDesc *)activation.desc;
    if (own != NULL && own != activation_find("linear"))
        return own->he;
    const ActivationDesc *next =
        build->next_activation == NULL ? NULL : activation_find(build->next_activation);
    return next != NULL && next->he;
}

Selection layer_kernel_init(const LayerBuild *build, Selection chosen, Selection activation) {
    static const InitParams no_params = {.scale = NAN, .value = NAN};
    if (chosen.desc != NULL)
        return chosen;
    const char *name = starts_by_he(build, activation) ? "he_normal" : "glorot_uniform";
    return (Selection){&init_find(name)->desc, &no_params};
}

Selection layer_embedding_init(void) {
    static const InitParams params = {.scale = 0.02, .value = NAN};
    return (Selection){&init_find("normal")->desc, &params};
}

int layer_pool_all(LayerBuild *build, int input, const OpDesc *rows, const OpDesc *nodes,
                   int *ret_output) {
    const GraphNode *from = graph_node(build->graph, input);
    bool over_nodes = from->per_node && from->shape.rank == 1;
    int node = layer_append(build, over_nodes ? nodes : rows, NULL, 1, &input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}
