// See weights.h. Columns are compared by a hash of each, which costs one pass over the kernel.
#include "core/diagnose/weights.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/tensor/kernels.h"

static const GraphWeight *kernel_of(const Model *model, int layer) {
    const Graph *graph = model_graph(model);
    for (int w = 0; w < graph_weights(graph); w++) {
        const GraphWeight *weight = graph_weight_at(graph, w);
        if (weight->layer == layer && !weight->state && weight->shape.rank >= 2 &&
            strstr(weight->name, "kernel") != NULL)
            return weight;
    }
    return NULL;
}

double weights_scale(const Model *model, const Real *weights, int layer) {
    const GraphWeight *kernel = kernel_of(model, layer);
    if (kernel == NULL || !(kernel->fan_in > 0))
        return NAN;
    size_t count = (size_t)shape_elements(&kernel->shape);
    double rms = sqrt(kernel_sum_squares(weights + kernel->offset, count) / (double)count);
    const ActivationDesc *activation = model_layer(model, layer)->activation;
    bool he = activation != NULL && activation->he;
    return rms / sqrt(he ? 2 / kernel->fan_in : 2 / (kernel->fan_in + kernel->fan_out));
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

double weights_duplicates(const Model *model, const Real *weights, int layer) {
    const GraphWeight *kernel = kernel_of(model, layer);
    if (kernel == NULL || shape_last(&kernel->shape) < 2)
        return NAN;
    size_t units = (size_t)shape_last(&kernel->shape);
    size_t rows = (size_t)shape_elements(&kernel->shape) / units;
    AUTO_FREE uint64_t *hash = memory_array(units, sizeof(uint64_t));
    if (hash == NULL)
        return NAN;
    for (size_t r = 0; r < rows; r++)
        for (size_t u = 0; u < units; u++) {
            Real value = weights[kernel->offset + r * units + u];
            uint64_t bits = 0;
            memcpy(&bits, &value, sizeof value);
            hash[u] = (hash[u] ^ bits) * UINT64_C(0x9E3779B97F4A7C15);
            hash[u] ^= hash[u] >> 29;
        }
    qsort(hash, units, sizeof(uint64_t), compare);
    size_t equal = 0;
    for (size_t u = 0; u < units; u++)
        equal += (u > 0 && hash[u] == hash[u - 1]) || (u + 1 < units && hash[u] == hash[u + 1]);
    return (double)equal / (double)units;
}

double weights_norm(const Model *model, const Real *weights, int layer) {
    size_t begin, end;
    graph_layer_range(model_graph(model), layer, &begin, &end);
    return sqrt(kernel_sum_squares(weights + begin, end - begin));
}
