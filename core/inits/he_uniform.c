// Uniform within ±√(6 / fan_in).
#include <math.h>
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    draw_uniform(call, sqrt(6 / call->fan_in), weight);
}

const InitDesc init_he_uniform = {
    .desc = {.name = "he_uniform",
             .summary = "As he_normal, from a uniform distribution.",
             .reference = "He et al. 2015, eq. 10",
             .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
