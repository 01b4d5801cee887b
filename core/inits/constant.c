// All one given value.
#include <stddef.h>
#include "core/inits/draw.h"

static const ParamSpec params[] = {
    {.name = "value",
     .type = PARAM_NUMBER,
     .offset = offsetof(InitParams, value),
     .required = true,
     .help = "every weight"},
};

static void fill(const InitCall *call, Real *weight) {
    fill_constant(call, call->params->value, weight);
}

const InitDesc init_constant = {
    .desc = {.name = "constant",
             .summary = "All one value.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(InitParams),
             .probes = (const char *const[]){"{\"value\": 0.5}", NULL}},
    .fill = fill,
};
