// Batch normalisation per channel (the last axis).
#include <math.h>
#include "core/base/error.h"
#include "core/layers/layers.h"
#include "core/ops/ops.h"

static const ParamSpec params[] = {
    {.name = "momentum",
     .type = PARAM_NUMBER,
     .offset = offsetof(BatchNormParams, momentum),
     .default_number = 0.9,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "weight of the old moving statistics"},
    {.name = "epsilon",
     .type = PARAM_NUMBER,
     .offset = offsetof(BatchNormParams, epsilon),
     .default_number = 1e-5,
     .minimum = 0,
     .maximum = 1,
     .above_minimum = true,
     .help = "added to the variance"},
};

static int build(LayerBuild *build, const void *layer_params, int inputs, const int *input,
                 int *ret_output) {
    static const struct {
        const char *name;
        double fill;
        bool state;
    } of_channel[] = {
        {"gamma", 1, false},
        {"beta", 0, false},
        {"moving_mean", 0, true},
        {"moving_variance", 1, true},
    };
    Shape channels = SHAPE(shape_last(layer_shape(build, input[0])));
    int weight[ARRAY_LENGTH(of_channel)];
    for (size_t i = 0; i < ARRAY_LENGTH(of_channel); i++) {
        weight[i] = layer_weight(build, of_channel[i].name, channels, (Selection){0}, 0, 0,
                                 of_channel[i].fill, of_channel[i].state);
        if (weight[i] < 0)
            return weight[i];
    }
    int node = layer_append(build, &op_batch_norm, layer_params, inputs, input,
                            (int)ARRAY_LENGTH(of_channel), weight);
    if (node < 0)
        return node;
    *ret_output = node;
    return OK;
}

const LayerDesc layer_batch_norm = {
    .desc =
        {.name = "batch_norm",
         .summary = "Gives each channel mean 0 and variance 1 over the batch, then a learned "
                    "scale and shift.",
         .reference = "Ioffe & Szegedy 2015: Batch Normalization",
         .params = params,
         .param_count = ARRAY_LENGTH(params),
         .params_size = sizeof(BatchNormParams),
         .probes =
             (const char *const[]){
                 "{\"input\": [5], \"layers\": [{\"type\": \"dense\", \"units\": 4}, {\"type\": "
                 "\"batch_norm\"}, {\"type\": \"dense\", \"units\": 3}]}",
                 "{\"input\": [4, 3], \"layers\": [{\"type\": \"batch_norm\", \"epsilon\": "
                 "0.01}, {\"type\": \"dense\", \"units\": 2}]}",
                 // rows of different lengths
                 "{\"input\": [4, 2], \"lengths\": [4, 2, 0, 1], \"layers\": [{\"type\": "
                 "\"dense\", \"units\": 3}, {\"type\": \"batch_norm\"}, {\"type\": "
                 "\"global_max_pool\"}, {\"type\": \"dense\", \"units\": 2}]}",
                 NULL}},
    .min_inputs = 1,
    .max_inputs = 1,
    .build = build,
};
