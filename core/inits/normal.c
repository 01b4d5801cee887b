// Normal with mean 0 and a given standard deviation.
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
     .help = "standard deviation"},
};

static void fill(const InitCall *call, Real *weight) {
    draw_normal(call, call->params->scale, weight);
}

const InitDesc init_normal = {
    .desc = {.name = "normal",
             .summary = "Normal numbers of a given standard deviation.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(InitParams),
             .probes = (const char *const[]){"{}", "{\"scale\": 0.5}", NULL}},
    .fill = fill,
};
