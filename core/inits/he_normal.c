// Normal with variance 2 / fan_in.
#include <math.h>
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    draw_normal(call, sqrt(2 / call->fan_in), weight);
}

const InitDesc init_he_normal = {
    .desc = {.name = "he_normal",
             .summary = "Keeps the variance of signals level through ReLU units.",
             .reference = "He et al. 2015, eq. 10",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
