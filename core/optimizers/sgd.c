// Gradient descent with momentum, PyTorch's rule:
//   g ← g + decay · w;  v ← momentum · v + g;  w ← w − rate · (nesterov ? g + momentum · v : v)
// Without momentum v is g and no slot is kept. (PyTorch's first v is g itself; from v = 0 that is
// the same.)
#include "core/optimizers/step.h"

typedef struct SgdParams {
    OptimizerCommon common;
    double momentum;
    bool nesterov;
} SgdParams;

static const ParamSpec params[] = {
    OPTIMIZER_COMMON_PARAMS(0.01, 0),
    {.name = "momentum",
     .type = PARAM_NUMBER,
     .offset = offsetof(SgdParams, momentum),
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of the last update's direction that is kept"},
    {.name = "nesterov",
     .type = PARAM_BOOLEAN,
     .offset = offsetof(SgdParams, nesterov),
     .help = "look ahead along the momentum"},
};

static int slots(const void *untyped) {
    const SgdParams *sgd = untyped;
    return sgd->momentum > 0 ? 1 : 0;
}

STEP_INLINE void update_plain(const StepWork *work, size_t begin, size_t count,
                              Real *restrict delta) {
    const OptimizerCall *call = work->call;
    const SgdParams *sgd = call->params;
    Real *restrict w = call->weights + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real rate = (Real)call->learning_rate, decay = (Real)sgd->common.weight_decay;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    for (size_t i = 0; i < count; i++) {
        Real g = step_gradient(gradients[i], scale, bound) + decay * w[i];
        delta[i] = -rate * g;
        w[i] += delta[i];
    }
}

STEP_INLINE void update_momentum(const StepWork *work, size_t begin, size_t count,
                                 Real *restrict delta) {
    const OptimizerCall *call = work->call;
    const SgdParams *sgd = call->params;
    Real *restrict w = call->weights + begin;
    Real *restrict v = call->slots[0] + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real rate = (Real)call->learning_rate, decay = (Real)sgd->common.weight_decay;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    Real momentum = (Real)sgd->momentum;
    // The direction is v, or g + momentum · v: one loop for both by these two factors.
    Real by_gradient = sgd->nesterov ? 1 : 0, by_velocity = sgd->nesterov ? momentum : 1;
    for (size_t i = 0; i < count; i++) {
        Real g = step_gradient(gradients[i], scale, bound) + decay * w[i];
        v[i] = momentum * v[i] + g;
        delta[i] = -rate * (by_gradient * g + by_velocity * v[i]);
        w[i] += delta[i];
    }
}

VECTOR_LOOPS static void plain_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    step_parts(context, begin, end, update_plain);
}

VECTOR_LOOPS static void momentum_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    step_parts(context, begin, end, update_momentum);
}

static OptimizerSums step(const OptimizerCall *call) {
    return step_run(call, NULL, slots(call->params) > 0 ? momentum_parts : plain_parts);
}

const OptimizerDesc optimizer_sgd = {
    .desc = {.name = "sgd",
             .summary = "Gradient descent, with momentum if wanted.",
             .reference = "Sutskever et al. 2013, eq. 1 to 4, as torch.optim.SGD has them",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(SgdParams),
             .probes =
                 (const char *const[]){
                     "{\"learning_rate\": 0.1}",
                     "{\"learning_rate\": 0.1, \"momentum\": 0.9, \"weight_decay\": 0.01}",
                     "{\"learning_rate\": 0.1, \"momentum\": 0.9, \"nesterov\": true}", NULL}},
    .slots = slots,
    .slot_names = {"momentum"},
    .step = step,
};
