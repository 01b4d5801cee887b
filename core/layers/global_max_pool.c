// The greatest of each channel over space, time or the nodes of each graph.
#include "core/layers/graph_probes.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)layer_params;
    (void)inputs;
    return layer_pool_all(build, input[0], &op_global_max_pool, &op_graph_max_pool, ret_output);
}

const LayerDesc layer_global_max_pool = {
    .desc = {.name = "global_max_pool",
             .summary = "The greatest of each channel over space, time or the nodes of each graph; "
                        "padding is left out.",
             .reference =
                 "Collobert et al. 2011: Natural Language Processing (Almost) from Scratch",
             .probes =
                 (const char *const[]){
                     // over space
                     "{\"input\": [3, 2, 2], \"layers\": [{\"type\": \"dense\", \"units\": 4, "
                     "\"activation\": \"tanh\"}, {\"type\": \"global_max_pool\"}, {\"type\": "
                     "\"dense\", \"units\": 2}]}",
                     // over time; with rows of different lengths
                     "{\"input\": [4, 3], \"layers\": [{\"type\": \"dense\", \"units\": 4, "
                     "\"activation\": \"tanh\"}, {\"type\": \"global_max_pool\"}]}",
                     "{\"input\": [5, 3], \"lengths\": [5, 2, 0, 1], \"layers\": [{\"type\": "
                     "\"dense\", \"units\": 4, \"activation\": \"tanh\"}, {\"type\": "
                     "\"global_max_pool\"}, {\"type\": \"dense\", \"units\": 2}]}",
                     // over the nodes of each graph
                     "{\"input\": [3], " PROBE_GRAPHS ", \"layers\": [{\"type\": \"gcn_conv\", "
                     "\"units\": 4, \"activation\": \"tanh\"}, {\"type\": \"global_max_pool\"}, "
                     "{\"type\": \"dense\", \"units\": 2}]}",
                     NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
