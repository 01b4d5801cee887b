// The step that adam and adamw share; they differ in where the decay goes.
//   m ← m + (1 − β₁)(g − m);  v ← β₂ v + (1 − β₂) g²
//   w ← w − rate / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
#pragma once
#include "core/optimizers/step.h"

typedef struct AdamParams {
    OptimizerCommon common;
    double beta1, beta2, epsilon;
} AdamParams;

#define ADAM_PARAMS(default_decay)                                                                 \
    OPTIMIZER_COMMON_PARAMS(0.001, default_decay),                                                 \
        {.name = "beta1",                                                                          \
         .type = PARAM_NUMBER,                                                                     \
         .offset = offsetof(AdamParams, beta1),                                                    \
         .default_number = 0.9,                                                                    \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .below_maximum = true,                                                                    \
         .help = "memory of the mean gradient"},                                                   \
        {.name = "beta2",                                                                          \
         .type = PARAM_NUMBER,                                                                     \
         .offset = offsetof(AdamParams, beta2),                                                    \
         .default_number = 0.999,                                                                  \
         .minimum = 0,                                                                             \
         .maximum = 1,                                                                             \
         .below_maximum = true,                                                                    \
         .help = "memory of the mean squared gradient"},                                           \
    {                                                                                              \
        .name = "epsilon", .type = PARAM_NUMBER, .offset = offsetof(AdamParams, epsilon),          \
        .default_number = 1e-8, .minimum = 0, .maximum = INFINITY, .help = "added to the divisor"  \
    }

static inline int adam_slots(const void *params) {
    (void)params;
    return 2;
}

typedef struct AdamFactors {
    Real rate, root_factor; // with the bias corrections
    Real gradient_decay;    // goes into g
    Real weight_factor;     // multiplies w before the step
} AdamFactors;

static inline AdamFactors adam_factors(const OptimizerCall *call, double gradient_decay,
                                       double weight_factor) {
    const AdamParams *adam = call->params;
    double t = (double)call->step;
    return (AdamFactors){.rate = (Real)(call->learning_rate / (1 - pow(adam->beta1, t))),
                         .root_factor = (Real)(1 / sqrt(1 - pow(adam->beta2, t))),
                         .gradient_decay = (Real)gradient_decay,
                         .weight_factor = (Real)weight_factor};
}

STEP_INLINE void adam_update(const StepWork *work, size_t begin, size_t count,
                             Real *restrict delta) {
    const OptimizerCall *call = work->call;
    const AdamParams *adam = call->params;
    const AdamFactors factors = *(const AdamFactors *)work->factors;
    Real *restrict w = call->weights + begin;
    Real *restrict m = call->slots[0] + begin;
    Real *restrict v = call->slots[1] + begin;
    const Real *restrict gradients = call->gradients + begin;
    Real beta1_rest = (Real)(1 - adam->beta1);
    Real beta2 = (Real)adam->beta2, beta2_rest = (Real)(1 - adam->beta2);
    Real epsilon = (Real)adam->epsilon;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    for (size_t i = 0; i < count; i++) {
        Real before = w[i];
        Real g = step_gradient(gradients[i], scale, bound) + factors.gradient_decay * before;
        m[i] += beta1_rest * (g - m[i]);
        v[i] = beta2 * v[i] + beta2_rest * g * g;
        w[i] = factors.weight_factor * before -
               factors.rate * m[i] / (step_root(v[i]) * factors.root_factor + epsilon);
        delta[i] = w[i] - before;
    }
}

VECTOR_LOOPS static void adam_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    step_parts(context, begin, end, adam_update);
}
