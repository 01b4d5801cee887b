// Long short-term memory. The forget gate starts open, its bias at 1 (Jozefowicz, Zaremba, Sutskever 2015).
#include "core/layers/recurrent.h"

enum { GATES = 4, FORGET = 1 };

static const ParamSpec params[] = {RECURRENT_PARAMS};

// The bias [4 · units], seen as one row.
static void fill_bias(const InitCall *call, Real *weight) {
    size_t units = call->columns / GATES;
    for (size_t c = 0; c < call->columns; c++)
        weight[c] = c / units == FORGET ? 1 : 0;
}

static const InitDesc open_forget_gate = {.desc = {.name = "open_forget_gate"}, .fill = fill_bias};

static int build(LayerBuild *build, const void *params_given, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    static const RecurrentWeights weights = {.gates = GATES,
                                             .biases = 1,
                                             .kernel_init = "glorot_uniform",
                                             .bias_init = &open_forget_gate};
    return recurrent_build(build, &op_lstm, params_given, &weights, input, ret_output);
}

const LayerDesc layer_lstm = {
    .desc =
        {.name = "lstm",
         .summary = "A recurrent layer whose gates decide what its memory keeps: remembers "
                    "hundreds of steps.",
         .reference =
             "Hochreiter & Schmidhuber 1997; Gers, Schmidhuber, Cummins 2000 (the forget gate)",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(RecurrentParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"lstm\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"lstm\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"lstm\", \"units\": 4, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"lstm\", \"units\": 4, \"bidirectional\": "
                 "true}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"lstm\", \"units\": 4, \"return_sequences\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"lstm\", \"units\": 4, "
                 "\"return_sequences\": true}, {\"type\": \"lstm\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"lstm\", \"units\": 4, \"return_sequences\": true, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"lstm\", \"units\": 4, "
                 "\"return_sequences\": true, \"bidirectional\": true}, {\"type\": \"lstm\", "
                 "\"units\": 4}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
