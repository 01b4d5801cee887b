// Mean absolute error: L = mean |x − t|, dL/dx = sign(x − t) / n, 0 at x = t, n = rows · width.
#include <math.h>
#include "core/losses/losses.h"

static double value(const LossCall *call) {
    int64_t count = call->rows * call->width;
    double loss = 0;
    Real share = (Real)(1 / (double)count);
    for (int64_t i = 0; i < count; i++) {
        Real error = call->outputs[i] - call->values[i];
        loss += fabs((double)error);
        if (call->gradients != NULL)
            call->gradients[i] = error == 0 ? 0 : (error < 0 ? -share : share);
    }
    return loss / (double)count;
}

const LossDesc loss_mae = {
    .desc = {.name = "mae",
             .summary = "The mean of the absolute errors: outliers weigh less than in mse.",
             .probes = (const char *const[]){"{}", NULL}},
    .targets = TARGETS_VALUES,
    .value = value,
};
