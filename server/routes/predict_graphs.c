// A pass runs a whole graph; what was asked of it is picked from its outputs.
#include "server/routes/predict_graphs.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

bool predicts_graphs(const LoadedModel *model) {
    return task_graph_rows(predictor_task(model->predictor)) == GRAPH_NODES;
}

// rows [count] of values [*, width] as a new array.
static int pick_rows(const float *values, const int32_t *rows, int64_t count, int64_t width,
                     float **ret_values) {
    float *picked = memory_array((size_t)count * (size_t)width, sizeof *picked);
    if (picked == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < count; i++)
        memcpy(picked + i * width, values + rows[i] * width, (size_t)width * sizeof *picked);
    *ret_values = picked;
    return OK;
}

int predict_graphs(const LoadedModel *model, const GraphRequest *request, int64_t *ret_rows,
                   float **ret_outputs, float **ret_probabilities) {
    const PredictorInput input = {.graphs = &request->data};
    int64_t rows = predictor_targets(model->predictor, &input);
    int64_t width = predictor_output_width(model->predictor);
    int64_t classes = predictor_classes(model->predictor);
    size_t numbers;
    if (!size_multiply((size_t)rows, (size_t)(width > classes ? width : classes), &numbers))
        return ERR_TOO_LARGE;
    AUTO_FREE float *outputs = memory_array(numbers, sizeof *outputs);
    AUTO_FREE float *probabilities = memory_array(numbers, sizeof *probabilities);
    if (outputs == NULL || probabilities == NULL)
        return ERR_NO_MEMORY;
    int error = batcher_run(model->batcher, &input, outputs, classes > 0 ? probabilities : NULL);
    if (error != OK)
        return error;
    *ret_rows = request->nodes == NULL ? rows : request->node_count;
    if (request->nodes == NULL) {
        *ret_outputs = TAKE(outputs);
        *ret_probabilities = classes > 0 ? TAKE(probabilities) : NULL;
        return OK;
    }
    error = pick_rows(outputs, request->nodes, request->node_count, width, ret_outputs);
    return error == OK && classes > 0 ? pick_rows(probabilities, request->nodes,
                                                  request->node_count, classes, ret_probabilities)
                                      : error;
}
