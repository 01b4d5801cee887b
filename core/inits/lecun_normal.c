// Normal with variance 1 / fan_in.
#include <math.h>
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    draw_normal(call, sqrt(1 / call->fan_in), weight);
}

const InitDesc init_lecun_normal = {
    .desc = {.name = "lecun_normal",
             .summary = "Keeps the variance of signals level through linear units; for selu.",
             .reference = "LeCun et al. 1998, Efficient BackProp, eq. 16",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
