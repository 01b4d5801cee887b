// Predictions of models that read graphs.
#pragma once
#include "server/data/graph_request.h"
#include "server/routes/predictors.h"

// Whether the model reads graphs: then a body has "nodes", "graph" or "graphs" in place of "inputs".
bool predicts_graphs(const LoadedModel *model);
// Runs: an answer for each node that is asked for, for each of a new graph's, or for each graph.
// ret_outputs [rows, output width], ret_probabilities [rows, classes] or NULL for numbers; both memory_free.
// ERR_TOO_LARGE, ERR_NO_MEMORY.
int predict_graphs(const LoadedModel *model, const GraphRequest *request, int64_t *ret_rows,
                   float **ret_outputs, float **ret_probabilities);
