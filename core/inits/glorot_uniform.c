// Uniform within ±√(6 / (fan_in + fan_out)).
#include <math.h>
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    draw_uniform(call, sqrt(6 / (call->fan_in + call->fan_out)), weight);
}

const InitDesc init_glorot_uniform = {
    .desc = {.name = "glorot_uniform",
             .aliases = (const char *const[]){"xavier_uniform", NULL},
             .summary = "Keeps the variance of signals and gradients level; for tanh, sigmoid and "
                        "linear units.",
             .reference = "Glorot & Bengio 2010, eq. 16",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
