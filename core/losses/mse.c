// Mean squared error: L = mean((x − t)²), dL/dx = 2 (x − t) / n, n = rows · width.
#include "core/losses/losses.h"

static double value(const LossCall *call) {
    int64_t count = call->rows * call->width;
    double loss = 0;
    Real share = (Real)(2 / (double)count);
    for (int64_t i = 0; i < count; i++) {
        Real error = call->outputs[i] - call->values[i];
        loss += (double)error * (double)error;
        if (call->gradients != NULL)
            call->gradients[i] = error * share;
    }
    return loss / (double)count;
}

const LossDesc loss_mse = {
    .desc = {.name = "mse",
             .summary = "The mean of the squared errors.",
             .probes = (const char *const[]){"{}", NULL}},
    .targets = TARGETS_VALUES,
    .value = value,
};
