// What the layers `rnn`, `lstm` and `gru` share: parameters, weights with their names, initial values.
#pragma once
#include "core/layers/layers.h"
#include "core/ops/ops.h"

// The rows of the common parameters in a layer's table; its parameter struct begins with RecurrentParams.
#define RECURRENT_PARAMS                                                                           \
    {.name = "units",                                                                              \
     .type = PARAM_INTEGER,                                                                        \
     .offset = offsetof(RecurrentParams, units),                                                   \
     .required = true,                                                                             \
     .minimum = 1,                                                                                 \
     .maximum = 1 << 16,                                                                           \
     .help = "numbers of the state, and outputs; twice as many outputs when bidirectional"},       \
        {.name = "return_sequences",                                                               \
         .type = PARAM_BOOLEAN,                                                                    \
         .offset = offsetof(RecurrentParams, return_sequences),                                    \
         .help = "give the state after every step, not only the last"},                            \
    {                                                                                              \
        .name = "bidirectional", .type = PARAM_BOOLEAN,                                            \
        .offset = offsetof(RecurrentParams, bidirectional),                                        \
        .help = "read the sequence backward too, with weights of its own"                          \
    }

typedef struct RecurrentWeights {
    int gates;                 // blocks of columns in the kernels
    int biases;                // rows of the bias; 1: it has one axis
    const char *kernel_init;   // counted for each gate
    const InitDesc *bias_init; // NULL: zeros
} RecurrentWeights;

// Declares each direction's weights (of the recurrent kernel each gate's block is orthogonal) and adds the operator.
int recurrent_build(LayerBuild *build, const OpDesc *op, const RecurrentParams *params,
                    const RecurrentWeights *weights, const int *input, int *ret_output);
