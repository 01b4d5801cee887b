// Normal numbers added to each number of a row: mean 0, standard deviation `std`.
//
// Box & Muller 1958 gives two numbers at a time: the radius √(−2 log u) by the cosine and by the sine of one angle.
#include "core/train/augmentations/augmentations.h"

typedef struct NoiseParams {
    double std;
} NoiseParams;

static const ParamSpec params[] = {
    {.name = "std",
     .type = PARAM_NUMBER,
     .offset = offsetof(NoiseParams, std),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1e6,
     .help = "standard deviation of what is added, in units of the scaled inputs"},
};

static void apply(const void *untyped, const AugmentRow *row, Rng *rng) {
    const NoiseParams *noise = untyped;
    for (int64_t i = 0; i < row->count; i += 2) {
        double radius = noise->std * sqrt(-2 * log(1 - rng_uniform(rng))); // 1 − u is never 0
        double angle = 2 * M_PI * rng_uniform(rng);
        row->values[i] += (Real)(radius * cos(angle));
        if (i + 1 < row->count)
            row->values[i + 1] += (Real)(radius * sin(angle));
    }
}

const AugmentationDesc augmentation_noise = {
    .desc = {.name = "noise",
             .summary = "Adds normal noise to every number.",
             .reference = "Bishop 1995, Training with Noise is Equivalent to Tikhonov "
                          "Regularization",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(NoiseParams),
             .probes = (const char *const[]){"{}", "{\"std\": 2}", NULL}},
    .rows = AUGMENT_NUMBERS,
    .apply = apply,
};
