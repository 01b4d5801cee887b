// A net as the rules look at it: what stands where, which activations, what normalises.
#pragma once
#include "core/diagnose/facts.h"

typedef struct NetLayer {
    int index;                        // of the model's layer that holds the weights
    const ActivationDesc *activation; // its own, or of an activation layer behind it; NULL: linear
    int shown; // of the model's layer whose output is that activation's: where dead and saturated units are counted
    int64_t units, fan_in;
    bool normalised; // batch_norm or the like stands between it and the next
    bool skipped;    // inside a residual, or joined by add: its gradient has another way
    bool recurrent;
} NetLayer;

enum { NET_LAYERS_MAX = 256 };

typedef struct Net {
    NetLayer
        layer[NET_LAYERS_MAX]; // those with kernels, in reading order; the last makes the output
    int layers;
    int output;                              // index of the model's layer that ends in the output
    const ActivationDesc *output_activation; // NULL: linear
    int64_t output_units;
    int hidden, squashing,
        rectified; // hidden layers with weights; of them with bounded activations, with ones that die
    int normalisations, residuals, dropouts, convolutions, recurrents, attentions, frozen;
    int linear_pairs; // dense layers that follow each other with nothing between …
    int first_linear; // … the first of the first such pair, as a model's layer; −1
    double greatest_dropout;
    int64_t narrowest; // units of the narrowest hidden layer
    double born_dead;  // least probability that a stack of ReLUs as narrow starts dead
    bool plain;        // a sequence: no layer names its inputs
    int64_t parameters;
} Net;

void net_read(const Model *model, Net *ret_net);
