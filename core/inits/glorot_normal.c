// Normal with variance 2 / (fan_in + fan_out).
#include <math.h>
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    draw_normal(call, sqrt(2 / (call->fan_in + call->fan_out)), weight);
}

const InitDesc init_glorot_normal = {
    .desc = {.name = "glorot_normal",
             .aliases = (const char *const[]){"xavier_normal", NULL},
             .summary = "As glorot_uniform, from a normal distribution.",
             .reference = "Glorot & Bengio 2010, eq. 12",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
