// Uniform within ±scale.
#include <math.h>
#include <stddef.h>
#include "core/inits/draw.h"

static const ParamSpec params[] = {
    {.name = "scale",
     .type = PARAM_NUMBER,
     .offset = offsetof(InitParams, scale),
     .default_number = 0.05,
     .minimum = 0,
     .above_minimum = true,
     .maximum = INFINITY,
     .help = "half the width of the range"},
};

static void fill(const InitCall *call, Real *weight) {
    draw_uniform(call, call->params->scale, weight);
}

const InitDesc init_uniform = {
    .desc = {.name = "uniform",
             .summary = "Uniform numbers between -scale and scale.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(InitParams),
             .probes = (const char *const[]){"{}", "{\"scale\": 0.5}", NULL}},
    .fill = fill,
};
