// Sigmoid and binary cross-entropy in one, on logits, with targets t from 0 to 1:
//
//   L = mean(max(x, 0) − x t + log(1 + e^−|x|))     dL/dx = (σ(x) − t) / n     n = rows · width
//
// No exponent is positive, so any finite logits give a finite loss.
#include <math.h>
#include "core/losses/losses.h"
#include "core/activations/real_math.h"

static double value(const LossCall *call) {
    int64_t count = call->rows * call->width;
    double loss = 0;
    Real share = (Real)(1 / (double)count);
    for (int64_t i = 0; i < count; i++) {
        Real x = call->outputs[i], target = call->values[i];
        loss += (double)((x > 0 ? x : 0) - x * target +
                         real_log1p_unit(real_exp_negative(-real_abs(x))));
        if (call->gradients != NULL)
            call->gradients[i] = (real_sigmoid(x) - target) * share;
    }
    return loss / (double)count;
}

const LossDesc loss_binary_cross_entropy = {
    .desc = {.name = "binary_cross_entropy",
             .summary = "Cross-entropy of independent yes-or-no outputs; on logits.",
             .reference = "Bishop: Pattern Recognition (2006), eq. 4.90",
             .probes = (const char *const[]){"{}", NULL}},
    .targets = TARGETS_VALUES,
    .value = value,
};
