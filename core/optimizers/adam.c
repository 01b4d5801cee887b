// Adam with L2 decay in the gradient.
#include "core/optimizers/adam_step.h"

static const ParamSpec params[] = {ADAM_PARAMS(0)};

static OptimizerSums step(const OptimizerCall *call) {
    const AdamParams *adam = call->params;
    AdamFactors factors = adam_factors(call, adam->common.weight_decay, 1);
    return step_run(call, &factors, adam_parts);
}

const OptimizerDesc optimizer_adam = {
    .desc = {.name = "adam",
             .summary = "Steps scaled for each weight by its gradient's running moments.",
             .reference = "Kingma & Ba 2015, algorithm 1, as torch.optim.Adam has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(AdamParams),
             .probes = (const char *const[]){"{\"learning_rate\": 0.1}",
                                             "{\"learning_rate\": 0.1, \"weight_decay\": 0.01, "
                                             "\"beta1\": 0.8, \"beta2\": 0.99}",
                                             NULL}},
    .slots = adam_slots,
    .slot_names = {"first_moment", "second_moment"},
    .step = step,
};
