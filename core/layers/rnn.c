// A plain recurrent layer: h = f(x W + h₋ U + b) at each step.
#include "core/base/error.h"
#include "core/layers/recurrent.h"
#include <string.h>

typedef struct RnnParams {
    RecurrentParams recurrent;
    const char *activation;
} RnnParams;

static const char *const activations[] = {"tanh", "relu", NULL};

static const ParamSpec params[] = {
    RECURRENT_PARAMS,
    {.name = "activation",
     .type = PARAM_CHOICE,
     .offset = offsetof(RnnParams, activation),
     .choices = activations,
     .help = "applied to each state"},
};

static int build(LayerBuild *build, const void *params_given, int inputs, const int *input,
                 int *ret_output) {
    (void)inputs;
    const RnnParams *rnn = params_given;
    RecurrentParams *recurrent = arena_new(build->arena, RecurrentParams);
    if (recurrent == NULL)
        return ERR_NO_MEMORY;
    *recurrent = rnn->recurrent;
    recurrent->relu = strcmp(rnn->activation, "relu") == 0;
    const RecurrentWeights weights = {
        .gates = 1, .biases = 1, .kernel_init = recurrent->relu ? "he_normal" : "glorot_uniform"};
    return recurrent_build(build, &op_rnn, recurrent, &weights, input, ret_output);
}

const LayerDesc layer_rnn = {
    .desc =
        {.name = "rnn",
         .summary =
             "Reads a sequence step by step and keeps a state; forgets within some ten steps.",
         .reference = "Elman 1990: Finding Structure in Time",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(RnnParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"rnn\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"rnn\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"rnn\", \"units\": 4, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"rnn\", \"units\": 4, \"bidirectional\": "
                 "true}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"rnn\", \"units\": 4, \"return_sequences\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"rnn\", \"units\": 4, "
                 "\"return_sequences\": true}, {\"type\": \"rnn\", \"units\": 4}]}",
                 "{\"input\": [4, 2], \"layers\": [{\"type\": \"dense\", \"units\": 3}, {\"type\": "
                 "\"rnn\", \"units\": 4, \"return_sequences\": true, \"bidirectional\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"rnn\", \"units\": 4, "
                 "\"return_sequences\": true, \"bidirectional\": true}, {\"type\": \"rnn\", "
                 "\"units\": 4}]}",
                 "{\"input\": [5, 3], \"layers\": [{\"type\": \"rnn\", \"units\": 4, "
                 "\"activation\": \"relu\", \"return_sequences\": true}]}",
                 "{\"input\": [4, 2], \"lengths\": [4, 0, 2, 3, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"rnn\", \"units\": 4, \"activation\": "
                 "\"relu\", \"bidirectional\": true}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
