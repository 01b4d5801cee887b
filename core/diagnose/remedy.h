// Remedies: changes of a job as merge patches (RFC 7396) of its spec.
//
// A merge patch replaces lists whole, so a change of one layer carries all layers. What is written keeps every key that the
// change does not concern.
#pragma once
#include "core/base/value.h"

// What is done to the list of layers.
typedef struct LayersEdit {
    const char
        *activation; // of hidden layers that have one, or with `bend` of those without; NULL: stays
    bool squashing_only; // only in place of sigmoid, tanh and the like
    bool default_init;   // drop kernel_init and bias_init
    bool normalise;      // norms between dense or convolution and activation, where there is none
    bool layer_norm;     // by layer_norm, not batch_norm: for small batches
    bool bend;           // an activation where a dense layer follows another directly
    bool linear_output;  // no activation at the end
    bool unfreeze;       // "trainable" dropped
    double dropout;      // no rate beyond this; 0: stays
    int64_t least_units; // hidden dense layers get at least so many units; 0: stay
    int most_hidden;     // hidden dense layers beyond this go; 0: stay
    double add_dropout;  // a dropout before the last dense layer; 0: none
} LayersEdit;

typedef struct Remedy {
    const char *code; // NULL: none
    bool edits_layers;
    LayersEdit layers;
    // Of `training`; NULL, 0 or false: stays.
    const char *optimizer; // name; with it learning_rate. The optimizer's other keys go
    double learning_rate;
    double momentum;
    double weight_decay;
    bool drop_schedule, drop_clipping;
    bool drop_epsilon; // the optimizer's epsilon, betas and decay go back to their defaults
    double clip_norm;
    int64_t batch_size;
    int64_t epochs;   // as many times as long, in epochs or steps; 0: stays
    const char *loss; // name; "" : by the task
    double label_smoothing;
    bool balance, stop_early, standardize, new_seed;
    int64_t patience;
} Remedy;

// The patch of `spec` (a job's object) as an object under `key`.
void remedy_write_patch(const Remedy *remedy, Value spec, const char *key, const ValueWriter *out);
