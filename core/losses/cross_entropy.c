// Softmax and cross-entropy in one, on logits:
//
//   log p_c = x_c − max x − log Σ e^(x − max x)
//   target  t_c = w_c · ((1 − ε)·[c = y] + ε / width)     ε: label_smoothing, w: class weights (1
//   without) loss    L = Σ_rows Σ_c −t_c log p_c / Σ_rows w_y dL/dx_c = (p_c Σ t − t_c) / Σ_rows
//   w_y
//
// No exponent is positive and no logarithm is of less than 1, so any finite logits give a finite
// loss. Rows without a target (a negative class) do not count; where no row counts the loss and its
// gradients are 0.
#include <math.h>
#include <string.h>
#include "core/losses/losses.h"
#include "core/activations/real_math.h"

typedef struct CrossEntropyParams {
    double label_smoothing;
    Value class_weight; // read by whoever knows the classes; comes back as LossCall.class_weights
} CrossEntropyParams;

static const ParamSpec params[] = {
    {.name = "label_smoothing",
     .type = PARAM_NUMBER,
     .offset = offsetof(CrossEntropyParams, label_smoothing),
     .minimum = 0,
     .maximum = 1,
     .below_maximum = true,
     .help = "share of each target that is spread evenly over all classes"},
    {.name = "class_weight",
     .type = PARAM_VALUE,
     .offset = offsetof(CrossEntropyParams, class_weight),
     .help = "\"balanced\", or a list with a number per class; the mean divides by the sum of the "
             "weights"},
};

static double weight_of(const LossCall *call, int64_t class) {
    return call->class_weights == NULL ? 1 : (double)call->class_weights[class];
}

// The loss of one row, not yet divided, and its gradient times `factor`.
static double row_loss(const LossCall *call, const Real *x, int32_t class, double smoothing,
                       double factor, Real *gradient) {
    int64_t width = call->width;
    Real greatest = x[0];
    for (int64_t c = 1; c < width; c++)
        greatest = x[c] > greatest ? x[c] : greatest;
    double sum = 0;
    for (int64_t c = 0; c < width; c++) {
        Real power = real_exp_negative(x[c] - greatest);
        sum += (double)power;
        if (gradient != NULL)
            gradient[c] = power;
    }
    double log_sum = log(sum) + (double)greatest;
    double hard = (1 - smoothing) * weight_of(call, class), soft = smoothing / (double)width;
    double loss = hard * (log_sum - (double)x[class]), total = hard;
    for (int64_t c = 0; soft > 0 && c < width; c++) {
        loss += soft * weight_of(call, c) * (log_sum - (double)x[c]);
        total += soft * weight_of(call, c);
    }
    if (gradient == NULL)
        return loss;
    Real scale = (Real)(factor * total / sum);
    for (int64_t c = 0; c < width; c++)
        gradient[c] *= scale;
    for (int64_t c = 0; soft > 0 && c < width; c++)
        gradient[c] -= (Real)(factor * soft * weight_of(call, c));
    gradient[class] -= (Real)(factor * hard);
    return loss;
}

static double value(const LossCall *call) {
    double smoothing = ((const CrossEntropyParams *)call->params)->label_smoothing;
    double weights = 0, loss = 0;
    for (int64_t r = 0; r < call->rows; r++)
        if (call->classes[r] >= 0)
            weights += weight_of(call, call->classes[r]);
    double factor = weights > 0 ? 1 / weights : 0;
    for (int64_t r = 0; r < call->rows; r++) {
        Real *gradient = call->gradients == NULL ? NULL : call->gradients + r * call->width;
        if (call->classes[r] >= 0)
            loss += row_loss(call, call->outputs + r * call->width, call->classes[r], smoothing,
                             factor, gradient);
        else if (gradient != NULL)
            memset(gradient, 0, (size_t)call->width * sizeof(Real));
    }
    return loss * factor;
}

const LossDesc loss_cross_entropy = {
    .desc = {.name = "cross_entropy",
             .summary = "Minus the logarithm of the probability that softmax gives the true class; "
                        "on logits.",
             .reference = "Bishop: Pattern Recognition (2006), eq. 4.108; label smoothing: Szegedy "
                          "et al. 2016, section 7",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(CrossEntropyParams),
             .probes = (const char *const[]){"{}", "{\"label_smoothing\": 0.1}", NULL}},
    .targets = TARGETS_CLASSES,
    .value = value,
};
