// All 1.
#include "core/inits/draw.h"

static void fill(const InitCall *call, Real *weight) {
    fill_constant(call, 1, weight);
}

const InitDesc init_ones = {
    .desc = {.name = "ones", .summary = "All 1.", .probes = (const char *const[]){"{}", NULL}},
    .fill = fill,
};
