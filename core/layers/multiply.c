// The product of layers of one shape, element by element.
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    (void)layer_params;
    int node = layer_append(build, &op_multiply, NULL, inputs, input, 0, NULL);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_multiply = {
    .desc =
        {.name = "multiply",
         .summary = "The product of several layers of one shape, element by element.",
         .probes =
             (const char *const[]){
                 "{\"input\": [4], \"layers\": [{\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"a\", \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"b\", \"inputs\": [\"input\"]}, {\"type\": \"multiply\", \"inputs\": [\"a\", "
                 "\"b\"]}, {\"type\": \"dense\", \"units\": 2}]}",
                 // three, of which one twice
                 "{\"input\": [2, 4], \"layers\": [{\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"a\", \"activation\": \"tanh\"}, {\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"b\", \"inputs\": [\"input\"]}, {\"type\": \"dense\", \"units\": 3, \"name\": "
                 "\"c\", \"inputs\": [\"a\"]}, {\"type\": \"multiply\", \"inputs\": [\"a\", \"b\", "
                 "\"c\", \"b\"]}, {\"type\": \"dense\", \"units\": 2}]}",
                 NULL}},
    .min_inputs = 2,
    .max_inputs = OP_INPUTS_MAX,
    .build = build,
};
