// A pass over graphs answers for all nodes or graphs; what was asked of it is picked from its outputs.
#include "server/routes/prediction.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

// Rows [count] of values [*, width] in the place of all.
static int pick_rows(float **values, const int32_t *rows, int64_t count, int64_t width) {
    float *picked = memory_array((size_t)count * (size_t)width, sizeof *picked);
    if (picked == NULL)
        return ERR_NO_MEMORY;
    for (int64_t i = 0; i < count; i++)
        memcpy(picked + i * width, *values + rows[i] * width, (size_t)width * sizeof *picked);
    memory_free(*values);
    *values = picked;
    return OK;
}

static int pick_nodes(const LoadedModel *model, const GraphRequest *request,
                      Prediction *prediction) {
    int error = pick_rows(&prediction->outputs, request->nodes, request->node_count,
                          predictor_output_width(model->predictor));
    if (error == OK && prediction->probabilities != NULL)
        error = pick_rows(&prediction->probabilities, request->nodes, request->node_count,
                          predictor_classes(model->predictor));
    prediction->rows = request->node_count;
    return error;
}

int prediction_run(const LoadedModel *model, const ModelInputs *inputs, Prediction *prediction) {
    bool graphs = task_graph_rows(predictor_task(model->predictor)) == GRAPH_NODES;
    const PredictorInput input = {.rows = inputs->rows,
                                  .values = inputs->values,
                                  .lengths = inputs->lengths,
                                  .graphs = graphs ? &inputs->graphs.data : NULL};
    size_t outputs, probabilities;
    int64_t classes = predictor_classes(model->predictor);
    prediction->rows = predictor_targets(model->predictor, &input);
    size_t rows = (size_t)prediction->rows;
    if (!size_multiply(rows, (size_t)predictor_output_width(model->predictor), &outputs) ||
        !size_multiply(rows, (size_t)classes, &probabilities))
        return ERR_TOO_LARGE;
    prediction->outputs = memory_array(outputs, sizeof *prediction->outputs);
    if (classes > 0)
        prediction->probabilities = memory_array(probabilities, sizeof *prediction->probabilities);
    if (prediction->outputs == NULL || (classes > 0 && prediction->probabilities == NULL))
        return ERR_NO_MEMORY;
    int error = batcher_run(model->batcher, &input, prediction->outputs, prediction->probabilities);
    return error == OK && graphs && inputs->graphs.nodes != NULL
               ? pick_nodes(model, &inputs->graphs, prediction)
               : error;
}

void prediction_finish(Prediction *prediction) {
    memory_free(prediction->outputs);
    memory_free(prediction->probabilities);
}

const char *prediction_class(const LoadedModel *model, const Prediction *prediction, int64_t row) {
    int64_t classes = predictor_classes(model->predictor), best = 0;
    const float *probabilities = prediction->probabilities + row * classes;
    for (int64_t i = 1; i < classes; i++)
        best = probabilities[i] > probabilities[best] ? i : best;
    return predictor_class_name(model->predictor, best);
}
