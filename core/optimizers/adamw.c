// Adam with decoupled decay: w ← (1 − rate · decay) · w before the step.
#include "core/optimizers/adam_step.h"

static const ParamSpec params[] = {ADAM_PARAMS(0.01)};

static OptimizerSums step(const OptimizerCall *call) {
    const AdamParams *adam = call->params;
    AdamFactors factors =
        adam_factors(call, 0, 1 - call->learning_rate * adam->common.weight_decay);
    return step_run(call, &factors, adam_parts);
}

const OptimizerDesc optimizer_adamw = {
    .desc = {.name = "adamw",
             .summary = "Adam whose weight decay does not pass through the moments.",
             .reference = "Loshchilov & Hutter 2019, algorithm 2, as torch.optim.AdamW has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(AdamParams),
             .probes =
                 (const char *const[]){"{\"learning_rate\": 0.1}",
                                       "{\"learning_rate\": 0.1, \"weight_decay\": 0.1}", NULL}},
    .slots = adam_slots,
    .slot_names = {"first_moment", "second_moment"},
    .step = step,
};
