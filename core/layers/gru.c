// Gated recurrent units: h = z h₋ + (1 − z) n.
#include "core/layers/recurrent.h"

enum { GATES = 3 };

static const ParamSpec params[] = {
    RECURRENT_PARAMS,
    {.name = "reset_after",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(RecurrentParams, reset_after),
     .default_number = 1,
     .help = "apply the reset gate after the recurrent product, as cuDNN does, with a bias of its "
             "own there; else before it"},
};

static int build(LayerBuild *build, const void *params_given, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const RecurrentParams *recurrent = params_given;
    const RecurrentWeights weights = {
        .gates = GATES, .biases = recurrent->reset_after ? 2 : 1, .kernel_init = "glorot_uniform"};
    return recurrent_build(build, &op_gru, recurrent, &weights, input, ret_output);
}

const LayerDesc layer_gru = {
    .desc =
        {.name = "gru",
         .summary = "A recurrent layer with two gates: remembers nearly as long as an lstm, at "
                    "three quarters of its cost.",
         .reference = "Cho et al. 2014; with reset_after as cuDNN and PyTorch",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(RecurrentParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, \"bidirectional\": "
                 "true}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"return_sequences\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, "
                 "\"return_sequences\": true}, {\"type\": \"gru\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"return_sequences\": true, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, "
                 "\"return_sequences\": true, \"bidirectional\": true}, {\"type\": \"gru\", "
                 "\"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"reset_after\": false}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, \"reset_after\": "
                 "false}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"reset_after\": false, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, \"reset_after\": "
                 "false, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"reset_after\": false, \"return_sequences\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, \"reset_after\": "
                 "false, \"return_sequences\": true}, {\"type\": \"gru\", \"units\": 4, "
                 "\"reset_after\": false}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"gru\", \"units\": 4, \"reset_after\": false, \"return_sequences\": true, "
                 "\"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"gru\", \"units\": 4, \"reset_after\": "
                 "false, \"return_sequences\": true, \"bidirectional\": true}, {\"type\": \"gru\", "
                 "\"units\": 4, \"reset_after\": false}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
