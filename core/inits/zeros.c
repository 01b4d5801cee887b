// All 0.
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    fill_constant(call, 0, weight);
}

const InitDesc init_zeros = {
    .desc = {.name = "zeros", .summary = "All 0.", .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
