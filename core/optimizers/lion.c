// Lion: steps of one length for every weight, in the direction of the momentum's sign:
//   u = sign(β₁ m + (1 − β₁) g);  w ← (1 − rate · decay) · w − rate · u;  m ← β₂ m + (1 − β₂) g
// with sign(0) = 0, and a NaN passes through it.
#include "core/optimizers/step.h"

typedef struct LionParams {
    OptimizerCommon common;
    double beta1, beta2;
} LionParams;

static const ParamSpec params[] = {
    OPTIMIZER_COMMON_PARAMS(0.0001, 0),
    {.name = "beta1",
     .type = PARAM_NUMBER,
     .offset = offsetof(LionParams, beta1),
     .default_number = 0.9,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of the memory, beside the newest gradient, in a step's direction"},
    {.name = "beta2",
     .type = PARAM_NUMBER,
     .offset = offsetof(LionParams, beta2),
     .default_number = 0.99,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "memory of the mean gradient"},
};

static int slots(const void *untyped) {
    (void)untyped;
    return 1;
}

STEP_INLINE void update(const StepWork *work, size_t begin, size_t count, Real *restrict delta) {
    const OptimizerCall *call = work->call;
    const LionParams *lion = call->params;
    Real *restrict w = call->weights + begin;
    Real *restrict m = call->slots[0] + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real rate = (Real)call->learning_rate;
    Real factor = (Real)(1 - call->learning_rate * lion->common.weight_decay);
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    Real beta1 = (Real)lion->beta1, beta1_rest = (Real)(1 - lion->beta1);
    Real beta2 = (Real)lion->beta2, beta2_rest = (Real)(1 - lion->beta2);
    for (size_t i = 0; i < count; i++) {
        Real before = w[i];
        Real g = step_gradient(gradients[i], scale, bound);
        Real mean = beta1 * m[i] + beta1_rest * g;
        Real sign = mean > 0 ? 1 : mean < 0 ? -1 : mean;
        m[i] = beta2 * m[i] + beta2_rest * g;
        w[i] = factor * before - rate * sign;
        delta[i] = w[i] - before;
    }
}

VECTOR_LOOPS static void parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    step_parts(context, begin, end, update);
}

static OptimizerSums step(const OptimizerCall *call) {
    return step_run(call, NULL, parts);
}

const OptimizerDesc optimizer_lion = {
    .desc = {.name = "lion",
             .summary = "Steps of one length, in the direction of the momentum's sign.",
             .reference = "Chen et al. 2023, Symbolic Discovery of Optimization Algorithms, "
                          "algorithm 2",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(LionParams),
             .probes = (const char *const[]){"{\"learning_rate\": 0.015}",
                                             "{\"learning_rate\": 0.02, \"weight_decay\": 0.1, "
                                             "\"beta1\": 0.8, \"beta2\": 0.9}",
                                             NULL}},
    .slots = slots,
    .slot_names = {"momentum"},
    .step = step,
};
