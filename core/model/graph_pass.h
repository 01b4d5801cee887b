// One forward pass of a model over graphs, outside training, with all that it needs made for it and released after.
#pragma once
#include "core/model/graph_data.h"
#include "core/model/model.h"

typedef struct GraphPass {
    Tensor output; // [nodes or graphs, …], valid until graph_pass_finish
    AdjacencyBuffer graphs;
    Pattern *pattern;
    Real *inputs;
    Plan *plan;
} GraphPass;

// data->features are as many as the model reads. ERR_TOO_LARGE, ERR_NO_MEMORY; finish it in any case.
int graph_pass_run(GraphPass *pass, const Model *model, Real *weights, const Scaler *scaler,
                   const GraphData *data);
void graph_pass_finish(GraphPass *pass);
