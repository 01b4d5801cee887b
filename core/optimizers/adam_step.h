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

// gradient_decay goes into g; weight_factor multiplies w before the step.
static inline void adam_update(const OptimizerCall *call, size_t begin, size_t count,
                               double gradient_decay, double weight_factor, Real *restrict delta) {
    const AdamParams *adam = call->params;
    Real *restrict w = call->weights + begin;
    Real *restrict m = call->slots[0] + begin;
    Real *restrict v = call->slots[1] + begin;
    const Real *restrict gradients = call->gradients + begin;
    double t = (double)call->step;
    Real rate = (Real)(call->learning_rate / (1 - pow(adam->beta1, t)));
    Real root_factor = (Real)(1 / sqrt(1 - pow(adam->beta2, t)));
    Real beta1_rest = (Real)(1 - adam->beta1);
    Real beta2 = (Real)adam->beta2, beta2_rest = (Real)(1 - adam->beta2);
    Real epsilon = (Real)adam->epsilon;
    Real decay = (Real)gradient_decay, factor = (Real)weight_factor;
    Real scale = (Real)call->gradient_scale, bound = (Real)call->clip_value;
    for (size_t i = 0; i < count; i++) {
        Real before = w[i];
        Real g = step_gradient(gradients[i], scale, bound) + decay * before;
        m[i] += beta1_rest * (g - m[i]);
        v[i] = beta2 * v[i] + beta2_rest * g * g;
        w[i] = factor * before - rate * m[i] / (step_root(v[i]) * root_factor + epsilon);
        delta[i] = w[i] - before;
    }
}
