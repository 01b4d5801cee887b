// Huber's loss of the error e = x − t, quadratic near 0 and linear beyond δ:
//
//   L = mean(e² / 2 where |e| ≤ δ, else δ (|e| − δ / 2))     dL/dx = min(max(e, −δ), δ) / n     n =
//   rows · width
#include <math.h>
#include "core/losses/losses.h"

typedef struct HuberParams {
    double delta;
} HuberParams;

static const ParamSpec params[] = {
    {.name = "delta",
     .type = PARAM_NUMBER,
     .offset = offsetof(HuberParams, delta),
     .default_number = 1,
     .minimum = 0,
     .above_minimum = true,
     .help = "error up to which the loss is quadratic"},
};

static double value(const LossCall *call) {
    double delta = ((const HuberParams *)call->params)->delta;
    int64_t count = call->rows * call->width;
    double loss = 0, share = 1 / (double)count;
    for (int64_t i = 0; i < count; i++) {
        double error = (double)call->outputs[i] - (double)call->values[i], size = fabs(error);
        loss += size <= delta ? error * error / 2 : delta * (size - delta / 2);
        if (call->gradients != NULL)
            call->gradients[i] = (Real)((size <= delta ? error : copysign(delta, error)) * share);
    }
    return loss / (double)count;
}

const LossDesc loss_huber = {
    .desc = {.name = "huber",
             .summary = "Squared near 0 and absolute beyond delta.",
             .reference = "Huber 1964: Robust Estimation of a Location Parameter",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(HuberParams),
             .probes = (const char *const[]){"{}", "{\"delta\": 0.5}", NULL}},
    .targets = TARGETS_VALUES,
    .value = value,
};
