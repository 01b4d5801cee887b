// Reads the model once: layers with kernels, and what stands behind each until the next.
#include "core/diagnose/net.h"
#include <math.h>
#include <string.h>

typedef enum Role {
    ROLE_OTHER,
    ROLE_DENSE,
    ROLE_CONV,
    ROLE_RECURRENT,
    ROLE_ATTENTION,
    ROLE_GRAPH
} Role;

static const struct {
    const char *type;
    Role role;
} roles[] = {
    {"dense", ROLE_DENSE},
    {"conv1d", ROLE_CONV},
    {"conv2d", ROLE_CONV},
    {"rnn", ROLE_RECURRENT},
    {"lstm", ROLE_RECURRENT},
    {"gru", ROLE_RECURRENT},
    {"multi_head_attention", ROLE_ATTENTION},
    {"transformer_block", ROLE_ATTENTION},
    {"gcn_conv", ROLE_GRAPH},
    {"sage_conv", ROLE_GRAPH},
    {"gat_conv", ROLE_GRAPH},
    {"gin_conv", ROLE_GRAPH},
};

static Role role_of(const ModelLayer *layer) {
    for (size_t i = 0; i < ARRAY_LENGTH(roles); i++)
        if (strcmp(roles[i].type, layer->desc->desc.name) == 0)
            return roles[i].role;
    return ROLE_OTHER;
}

static bool is_type(const ModelLayer *layer, const char *type) {
    return strcmp(layer->desc->desc.name, type) == 0;
}

static bool normalises(const ModelLayer *layer) {
    return strstr(layer->desc->desc.name, "_norm") != NULL;
}

// The layer's number of this name, or `fallback`.
static double layer_number(const ModelLayer *layer, const char *name, double fallback) {
    for (size_t i = 0; layer->params != NULL && i < layer->desc->desc.param_count; i++) {
        const ParamSpec *param = &layer->desc->desc.params[i];
        if (param->type == PARAM_NUMBER && strcmp(param->name, name) == 0)
            return *(const double *)(const void *)((const char *)layer->params + param->offset);
    }
    return fallback;
}

// The first layer that reads what layer `i` puts out; −1. A residual reads it before what it holds does.
static int reader_of(const Model *model, int i) {
    int output = model_layer(model, i)->output;
    for (int j = i + 1; j < model_layers(model); j++) {
        const ModelLayer *layer = model_layer(model, j);
        for (int k = 0; k < layer->inputs && !is_type(layer, "residual"); k++)
            if (layer->input[k] == output)
                return j;
    }
    return -1;
}

static bool inside_residual(const Model *model, int i) {
    return model_layer(model, i)->parent >= 0;
}

// Walks from a layer with a kernel to the next: its activation, norms. Returns that next one, or −1; ret_bent: whether
// anything on the way is not linear.
static int walk(const Model *model, int i, NetLayer *at, bool *ret_bent) {
    const ModelLayer *layer = model_layer(model, i);
    at->activation = layer->activation;
    at->shown = i;
    bool bent = layer->activation != NULL;
    int j = reader_of(model, i);
    while (j >= 0 && role_of(model_layer(model, j)) == ROLE_OTHER) {
        const ModelLayer *next = model_layer(model, j);
        if (is_type(next, "add"))
            at->skipped = true;
        if (next->activation != NULL && at->activation == NULL) {
            at->activation = next->activation;
            at->shown = j;
        }
        at->normalised |= normalises(next);
        bent |= next->activation != NULL || strstr(next->desc->desc.name, "max_pool") != NULL ||
                is_type(next, "multiply") || (normalises(next) && !is_type(next, "batch_norm"));
        j = reader_of(model, j);
    }
    *ret_bent = bent;
    return j;
}

// The largest weight of the layer that is learned and a matrix.
static const GraphWeight *kernel_of(const Model *model, int i) {
    const GraphWeight *kernel = NULL;
    const Graph *graph = model_graph(model);
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (weight->layer == i && !weight->state && weight->shape.rank >= 2 &&
            strstr(weight->name, "kernel") != NULL && kernel == NULL)
            kernel = weight;
    }
    return kernel;
}

static void read_layer(const Model *model, int i, Net *net) {
    const ModelLayer *layer = model_layer(model, i);
    Role role = role_of(layer);
    const GraphWeight *kernel = kernel_of(model, i);
    if (role == ROLE_OTHER || kernel == NULL || net->layers == NET_LAYERS_MAX)
        return;
    bool bent;
    NetLayer at = {.index = i,
                   .units = shape_last(&kernel->shape),
                   .fan_in = (int64_t)kernel->fan_in,
                   .skipped = inside_residual(model, i) || role == ROLE_ATTENTION,
                   .recurrent = role == ROLE_RECURRENT};
    int next = walk(model, i, &at, &bent);
    Role next_role = next >= 0 ? role_of(model_layer(model, next)) : ROLE_OTHER;
    if (!bent && role == next_role && (role == ROLE_DENSE || role == ROLE_CONV) && !at.skipped) {
        if (net->linear_pairs++ == 0)
            net->first_linear = i;
    }
    net->convolutions += role == ROLE_CONV;
    net->recurrents += role == ROLE_RECURRENT;
    net->attentions += role == ROLE_ATTENTION;
    net->frozen += graph_frozen(model_graph(model), i);
    net->layer[net->layers++] = at;
}

static void read_output(const Model *model, Net *net) {
    net->output_units = shape_last(model_output_shape(model));
    for (int i = 0; i < model_layers(model); i++) {
        const ModelLayer *layer = model_layer(model, i);
        if (layer->output != model_output(model))
            continue;
        net->output = i;
        if (layer->activation != NULL)
            net->output_activation = layer->activation;
    }
}

// Lu et al. 2019 (Dying ReLU and Initialization), theorem 3.2's bound: a layer of n ReLUs is idle for an input with
// probability 2^−n where weights are symmetric and biases 0, and one idle layer makes the net constant.
static void read_hidden(Net *net) {
    double alive = 1;
    net->narrowest = INT64_MAX;
    for (int i = 0; i + 1 < net->layers; i++) {
        const NetLayer *layer = &net->layer[i];
        net->hidden++;
        net->narrowest = layer->units < net->narrowest ? layer->units : net->narrowest;
        if (layer->activation == NULL)
            continue;
        net->squashing += isfinite(layer->activation->lower) && isfinite(layer->activation->upper);
        net->rectified += layer->activation->dies;
        if (layer->activation->dies && !layer->normalised && !layer->skipped)
            alive *= 1 - exp2(-(double)layer->units);
    }
    net->born_dead = 1 - alive;
    if (net->hidden == 0)
        net->narrowest = 0;
}

void net_read(const Model *model, Net *ret_net) {
    Net *net = ret_net;
    memset(net, 0, sizeof *net);
    net->output = net->first_linear = -1;
    net->plain = true;
    net->parameters = model_parameters(model);
    for (int i = 0; i < model_layers(model); i++) {
        const ModelLayer *layer = model_layer(model, i);
        net->normalisations += normalises(layer) || is_type(layer, "transformer_block");
        net->residuals += is_type(layer, "residual") || is_type(layer, "add");
        net->plain &= layer->inputs == 1 && !is_type(layer, "residual") && layer->parent < 0;
        double rate = layer_number(layer, is_type(layer, "dropout") ? "rate" : "dropout", 0);
        net->dropouts += rate > 0;
        net->greatest_dropout = fmax(net->greatest_dropout, rate);
        read_layer(model, i, net);
    }
    read_output(model, net);
    read_hidden(net);
}
