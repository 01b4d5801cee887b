// Statistics of layers, gathered by an observer of the passes.
//
// Every step needs gradient norms (clipping does), so the backward half always runs: one pass over
// the gradients of a node while they are in the cache. The forward half runs at recorded steps
// only, and at those whose histograms are wanted.
#include "core/diagnose/statistics.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/vector.h"
#include "core/tensor/kernels.h"

enum { ROWS_AT_ONCE = 16, COUNTED_AT_ONCE = 1 << 16 };

struct Statistics {
    const Model *model;
    LayerStatistics *layers; // [model_layers]
    double *squares;         // [model_layers] of gradients, in this step
    int *first;              // [nodes] the first layer whose output the node is; −1: none
    int *next;               // [model_layers] the next layer with the same output; −1: none
    uint32_t *alive;         // [widest output] units seen to be other than 0
    Parallel *parallel;      // of this step, with
    const Real *gradients;
    bool record;                 // this step's activations
    LayerHistograms *histograms; // [model_layers]; NULL: not of this step
    PlanObserver with_activations, gradients_only;
};

static bool learns(const Model *model, int layer) {
    return model_layer(model, layer)->parameters > 0 && !graph_frozen(model_graph(model), layer);
}

// Which units were ever other than 0. Most nets show all of theirs within a few rows, and then the rest is not looked at.
VECTOR_LOOPS static void mark_alive(const Real *restrict values, size_t rows, size_t units,
                                    uint32_t *restrict alive) {
    for (size_t r = 0; r < rows; r++)
        for (size_t u = 0; u < units; u++)
            alive[u] |= values[r * units + u] != 0;
}

static double dead_fraction(Statistics *statistics, const Tensor *output, size_t rows,
                            size_t units) {
    size_t dead = units;
    memset(statistics->alive, 0, units * sizeof(*statistics->alive));
    for (size_t row = 0; row < rows && dead > 0; row += ROWS_AT_ONCE) {
        size_t count = rows - row < ROWS_AT_ONCE ? rows - row : ROWS_AT_ONCE;
        mark_alive(output->data + row * units, count, units, statistics->alive);
        dead = 0;
        for (size_t u = 0; u < units; u++)
            dead += !statistics->alive[u];
    }
    return (double)dead / (double)units;
}

VECTOR_LOOPS static size_t count_outside(const Real *values, size_t count, Real low, Real high) {
    size_t outside = 0;
    for (size_t begin = 0; begin < count; begin += COUNTED_AT_ONCE) {
        size_t end = count - begin < COUNTED_AT_ONCE ? count : begin + COUNTED_AT_ONCE;
        uint32_t block = 0; // as wide as the values
        for (size_t i = begin; i < end; i++)
            block += (values[i] <= low) | (values[i] >= high);
        outside += block;
    }
    return outside;
}

static double saturated_fraction(const ActivationDesc *activation, const Tensor *output,
                                 size_t elements) {
    double margin = 0.01 * (activation->upper - activation->lower);
    Real low = (Real)(activation->lower + margin), high = (Real)(activation->upper - margin);
    return (double)count_outside(output->data, elements, low, high) / (double)elements;
}

static void measure_output(Statistics *statistics, int node, const Tensor *output, size_t elements,
                           size_t stored) {
    size_t units = (size_t)shape_last(&output->shape);
    Real from = stored > 0 ? output->data[0] : 0; // one of the values
    double sum, squares;
    kernel_moments(output->data, stored, from, &sum, &squares);
    sum -= (double)(elements - stored) * (double)from;
    squares += (double)(elements - stored) * (double)from * (double)from;
    double offset = sum / (double)elements, variance = squares / (double)elements - offset * offset;
    for (int i = statistics->first[node]; i >= 0; i = statistics->next[i]) {
        LayerStatistics *layer = &statistics->layers[i];
        const ActivationDesc *activation = model_layer(statistics->model, i)->activation;
        layer->activation_mean = (double)from + offset;
        layer->activation_std = variance < 0 ? 0 : sqrt(variance); // NaN stays NaN
        if (activation != NULL && activation->dies)
            layer->dead_fraction = dead_fraction(statistics, output, elements / units, units);
        if (activation != NULL && isfinite(activation->lower) && isfinite(activation->upper))
            layer->saturated_fraction = saturated_fraction(activation, output, elements);
    }
}

// What is not stored of the output is 0.
static void observe_output(void *context, int node, const Tensor *output, size_t stored) {
    Statistics *statistics = context;
    size_t elements = (size_t)shape_elements(&output->shape);
    int first = statistics->first[node];
    if (first < 0)
        return;
    if (statistics->record)
        measure_output(statistics, node, output, elements, stored);
    if (statistics->histograms == NULL)
        return;
    Histogram *histogram = &statistics->histograms[first].activation;
    histogram_take(output->data, stored, elements - stored, histogram);
    for (int i = statistics->next[first]; i >= 0; i = statistics->next[i])
        statistics->histograms[i].activation = *histogram;
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
            statistics->squares[weight->layer] += kernel_sum_squares_parallel(
                statistics->parallel, statistics->gradients + weight->offset,
                (size_t)shape_elements(&weight->shape));
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
    statistics->alive = memory_array((size_t)widest, sizeof(*statistics->alive));
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

const PlanObserver *statistics_begin(Statistics *statistics, Parallel *parallel,
                                     const Real *gradients, bool record,
                                     LayerHistograms *histograms) {
    statistics->parallel = parallel;
    statistics->gradients = gradients;
    statistics->record = record;
    statistics->histograms = histograms;
    memset(statistics->squares, 0,
           (size_t)model_layers(statistics->model) * sizeof(*statistics->squares));
    return record || histograms != NULL ? &statistics->with_activations
                                        : &statistics->gradients_only;
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
