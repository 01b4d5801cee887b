// Statistics of layers, gathered by an observer of the passes.
//
// Every step needs gradient norms (clipping does), so the backward half always runs: one pass over
// the gradients of a node while they are in the cache. The forward half runs at recorded steps
// only.
#include "core/diagnose/statistics.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/tensor/kernels.h"

struct Statistics {
    const Model *model;
    LayerStatistics *layers; // [model_layers]
    double *squares;         // [model_layers] of gradients, in this step
    int *first;              // [nodes] the first layer whose output the node is; −1: none
    int *next;               // [model_layers] the next layer with the same output; −1: none
    bool *alive;             // [widest output] units seen to be other than 0
    const Real *gradients;   // of this step
    PlanObserver with_activations, gradients_only;
};

static bool learns(const Model *model, int layer) {
    return model_layer(model, layer)->parameters > 0 && !graph_frozen(model_graph(model), layer);
}

static double dead_fraction(Statistics *statistics, const Tensor *output, size_t elements,
                            size_t units) {
    memset(statistics->alive, 0, units * sizeof(bool));
    for (size_t i = 0; i < elements; i += units)
        for (size_t u = 0; u < units; u++)
            statistics->alive[u] |= output->data[i + u] != 0;
    size_t dead = 0;
    for (size_t u = 0; u < units; u++)
        dead += !statistics->alive[u];
    return (double)dead / (double)units;
}

static double saturated_fraction(const ActivationDesc *activation, const Tensor *output,
                                 size_t elements) {
    double margin = 0.01 * (activation->upper - activation->lower);
    Real low = (Real)(activation->lower + margin), high = (Real)(activation->upper - margin);
    size_t saturated = 0;
    for (size_t i = 0; i < elements; i++)
        saturated += output->data[i] <= low || output->data[i] >= high;
    return (double)saturated / (double)elements;
}

// What is not stored of the output is 0.
static void observe_output(void *context, int node, const Tensor *output, size_t stored) {
    Statistics *statistics = context;
    if (statistics->first[node] < 0)
        return;
    size_t elements = (size_t)shape_elements(&output->shape);
    double mean = kernel_sum(output->data, stored) / (double)elements;
    double squares = (double)(elements - stored) * mean * mean +
                     kernel_sum_square_distances(output->data, stored, mean);
    for (int i = statistics->first[node]; i >= 0; i = statistics->next[i]) {
        LayerStatistics *layer = &statistics->layers[i];
        const ActivationDesc *activation = model_layer(statistics->model, i)->activation;
        layer->activation_mean = mean;
        layer->activation_std = sqrt(squares / (double)elements);
        if (activation != NULL && activation->dies)
            layer->dead_fraction =
                dead_fraction(statistics, output, elements, (size_t)shape_last(&output->shape));
        if (activation != NULL && isfinite(activation->lower) && isfinite(activation->upper))
            layer->saturated_fraction = saturated_fraction(activation, output, elements);
    }
}

static void observe_gradients(void *context, int node) {
    Statistics *statistics = context;
    const Graph *graph = model_graph(statistics->model);
    const GraphNode *at = graph_node(graph, node);
    if (at->weights == 0 || graph_frozen(graph, at->layer))
        return;
    for (int i = 0; i < at->weights; i++) {
        const GraphWeight *weight = graph_weight_at(graph, at->weight[i]);
        if (!weight->state)
            statistics->squares[weight->layer] += kernel_sum_squares(
                statistics->gradients + weight->offset, (size_t)shape_elements(&weight->shape));
    }
}

int statistics_create(const Model *model, Statistics **ret_statistics) {
    const Graph *graph = model_graph(model);
    size_t layers = (size_t)model_layers(model), nodes = (size_t)graph_nodes(graph);
    int64_t widest = 1;
    for (int i = 0; i < graph_nodes(graph); i++) {
        int64_t width = shape_last(&graph_node(graph, i)->shape);
        widest = width > widest ? width : widest;
    }
    Statistics *statistics = memory_new(Statistics);
    if (statistics == NULL)
        return ERR_NO_MEMORY;
    statistics->model = model;
    statistics->layers = memory_array(layers, sizeof(*statistics->layers));
    statistics->squares = memory_array(layers, sizeof(double));
    statistics->first = memory_array(nodes, sizeof(int));
    statistics->next = memory_array(layers, sizeof(int));
    statistics->alive = memory_array((size_t)widest, sizeof(bool));
    if (statistics->layers == NULL || statistics->squares == NULL || statistics->first == NULL ||
        statistics->next == NULL || statistics->alive == NULL) {
        statistics_destroy(statistics);
        return ERR_NO_MEMORY;
    }
    statistics->gradients_only =
        (PlanObserver){.context = statistics, .backward = observe_gradients};
    statistics->with_activations = (PlanObserver){
        .context = statistics, .forward = observe_output, .backward = observe_gradients};
    for (size_t i = 0; i < nodes; i++)
        statistics->first[i] = -1;
    for (int i = (int)layers - 1; i >= 0; i--) {
        int output = model_layer(model, i)->output;
        statistics->next[i] = statistics->first[output];
        statistics->first[output] = i;
        statistics->layers[i] = (LayerStatistics){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    }
    *ret_statistics = statistics;
    return OK;
}

void statistics_destroy(Statistics *statistics) {
    if (statistics == NULL)
        return;
    memory_free(statistics->layers);
    memory_free(statistics->squares);
    memory_free(statistics->first);
    memory_free(statistics->next);
    memory_free(statistics->alive);
    memory_free(statistics);
}

const PlanObserver *statistics_begin(Statistics *statistics, const Real *gradients, bool record) {
    statistics->gradients = gradients;
    memset(statistics->squares, 0,
           (size_t)model_layers(statistics->model) * sizeof(*statistics->squares));
    return record ? &statistics->with_activations : &statistics->gradients_only;
}

double statistics_gradient_norm(const Statistics *statistics) {
    double squares = 0;
    for (int i = 0; i < model_layers(statistics->model); i++) {
        squares += statistics->squares[i];
        if (learns(statistics->model, i))
            statistics->layers[i].gradient_norm = sqrt(statistics->squares[i]);
    }
    return sqrt(squares);
}

void statistics_updated(Statistics *statistics, int layer, double update_squares,
                        double weight_squares) {
    LayerStatistics *at = &statistics->layers[layer];
    at->weight_norm = sqrt(weight_squares);
    at->update_ratio = weight_squares > 0 ? sqrt(update_squares / weight_squares) : NAN;
}

const LayerStatistics *statistics_layers(const Statistics *statistics) {
    return statistics->layers;
}
