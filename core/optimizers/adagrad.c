// Adagrad, PyTorch's rule:
//   g ← g + weight_decay · w;  v ← v + g²;  w ← w − rate · g / (√v + ε)
// v only grows, so the steps only shrink.
#include "core/optimizers/step.h"

typedef struct AdagradParams {
    OptimizerCommon common;
    double epsilon;
} AdagradParams;

static const ParamSpec params[] = {
    OPTIMIZER_COMMON_PARAMS(0.01, 0),
    {.name = "epsilon",
     .type = PARAM_NUMBER,
     .offset = offsetof(AdagradParams, epsilon),
     .default_number = 1e-10,
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
    const AdagradParams *adagrad = call->params;
    Real *restrict w = call->weights + begin;
    Real *restrict v = call->slots[0] + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real rate = (Real)call->learning_rate, decay = (Real)adagrad->common.weight_decay;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    Real epsilon = (Real)adagrad->epsilon;
    for (size_t i = 0; i < count; i++) {
        Real g = step_gradient(gradients[i], scale, bound) + decay * w[i];
        v[i] += g * g;
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

const OptimizerDesc optimizer_adagrad = {
    .desc = {.name = "adagrad",
             .summary = "Steps that shrink for each weight by all its gradients so far.",
             .reference = "Duchi et al. 2011, fig. 1 (diagonal), as torch.optim.Adagrad has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(AdagradParams),
             .probes = (const char *const[]){"{\"learning_rate\": 0.5}",
                                             "{\"learning_rate\": 0.5, \"weight_decay\": 0.1, "
                                             "\"epsilon\": 1e-6}",
                                             NULL}},
    .slots = slots,
    .slot_names = {"squares"},
    .step = step,
};
