// Neighbours of a text changed for one another, each pair with the probability `rate`; no token moves further than by one
// place.
#include "core/train/augmentations/augmentations.h"

typedef struct TokenSwapParams {
    double rate;
} TokenSwapParams;

static const ParamSpec params[] = {
    {.name = "rate",
     .type = PARAM_NUMBER,
     .offset = offsetof(TokenSwapParams, rate),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .help = "probability with which a token and the next one change places"},
};

static void apply(const void *untyped, const AugmentRow *text, Rng *rng) {
    const TokenSwapParams *swap = untyped;
    for (int64_t i = 0; i + 1 < text->count; i++) {
        if (rng_uniform(rng) >= swap->rate)
            continue;
        Real token = text->values[i];
        text->values[i] = text->values[i + 1];
        text->values[++i] = token;
    }
}

const AugmentationDesc augmentation_token_swap = {
    .desc = {.name = "token_swap",
             .summary = "Lets neighbouring tokens change places.",
             .reference = "Wei & Zou 2019, EDA, section 2 (random swap, of neighbours)",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(TokenSwapParams),
             .probes = (const char *const[]){"{}", "{\"rate\": 0.5}", NULL}},
    .rows = AUGMENT_TEXTS,
    .apply = apply,
};
