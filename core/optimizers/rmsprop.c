// RMSprop, PyTorch's rule with its alpha called decay:
//   g ← g + weight_decay · w;  v ← decay · v + (1 − decay) · g²;  w ← w − rate · g / (√v + ε)
#include "core/optimizers/step.h"

typedef struct RmspropParams {
    OptimizerCommon common;
    double decay, epsilon;
} RmspropParams;

static const ParamSpec params[] = {
    OPTIMIZER_COMMON_PARAMS(0.001, 0),
    {.name = "decay",
     .type = PARAM_NUMBER,
     .offset = offsetof(RmspropParams, decay),
     .default_number = 0.9,
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "memory of the mean squared gradient"},
    {.name = "epsilon",
     .type = PARAM_NUMBER,
     .offset = offsetof(RmspropParams, epsilon),
     .default_number = 1e-8,
     .minimum = 0,
     .maximum = INFINITY,
     .help = "added to the divisor"},
};

static int slots(const void *untyped) {
    (void)untyped;
    return 1;
}

STEP_INLINE void update(const StepWork *work, size_t begin, size_t count, Real *restrict delta) {
    const OptimizerCall *call = work->call;
    const RmspropParams *rmsprop = call->params;
    Real *restrict w = call->weights + begin;
    Real *restrict v = call->slots[0] + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real rate = (Real)call->learning_rate, weight_decay = (Real)rmsprop->common.weight_decay;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    Real decay = (Real)rmsprop->decay, rest = (Real)(1 - rmsprop->decay);
    Real epsilon = (Real)rmsprop->epsilon;
    for (size_t i = 0; i < count; i++) {
        Real g = step_gradient(gradients[i], scale, bound) + weight_decay * w[i];
        v[i] = decay * v[i] + rest * g * g;
        delta[i] = -rate * g / (step_root(v[i]) + epsilon);
        w[i] += delta[i];
    }
}

VECTOR_LOOPS static void parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    step_parts(context, begin, end, update);
}

static OptimizerSums step(const OptimizerCall *call) {
    return step_run(call, NULL, parts);
}

const OptimizerDesc optimizer_rmsprop = {
    .desc = {.name = "rmsprop",
             .summary = "Steps scaled for each weight by its gradient's running size.",
             .reference = "Tieleman & Hinton 2012, lecture 6.5, as torch.optim.RMSprop has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(RmspropParams),
             .probes = (const char *const[]){"{\"learning_rate\": 0.1}",
                                             "{\"learning_rate\": 0.1, \"decay\": 0.99, "
                                             "\"weight_decay\": 0.01}",
                                             NULL}},
    .slots = slots,
    .slot_names = {"second_moment"},
    .step = step,
};
