// Tokens made unknown, each with the probability `rate`, so that a net cannot rest on single words. Texts of bytes have no token
// for the unknown, and are refused.
#include "core/base/error.h"
#include "core/train/augmentations/augmentations.h"

typedef struct TokenDropoutParams {
    double rate;
} TokenDropoutParams;

static const ParamSpec params[] = {
    {.name = "rate",
     .type = PARAM_NUMBER,
     .offset = offsetof(TokenDropoutParams, rate),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .below_maximum = true,
     .help = "probability with which a token becomes the unknown one"},
};

static int prepare(const void *untyped, const AugmentTask *task, const Path *path, Issues *issues,
                   Arena *arena, const void **ret_prepared) {
    (void)arena;
    *ret_prepared = untyped;
    if (task->vocabulary->reserved > TOKEN_UNKNOWN)
        return OK;
    issues_add(issues, path,
               "\"token_dropout\" makes tokens unknown, and texts of bytes know every byte");
    return ERR_INVALID;
}

static void apply(const void *untyped, const AugmentRow *text, Rng *rng) {
    const TokenDropoutParams *dropout = untyped;
    for (int64_t i = 0; i < text->count; i++)
        if (rng_uniform(rng) < dropout->rate)
            text->values[i] = TOKEN_UNKNOWN;
}

const AugmentationDesc augmentation_token_dropout = {
    .desc = {.name = "token_dropout",
             .summary = "Makes random tokens unknown.",
             .reference = "Iyyer et al. 2015, Deep Unordered Composition, section 3.1",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(TokenDropoutParams),
             .probes = (const char *const[]){"{}", "{\"rate\": 0.5}", NULL}},
    .rows = AUGMENT_TEXTS,
    .prepare = prepare,
    .apply = apply,
};
