// Softmax and cross-entropy in one, on logits:
//
//           log p_c = x_c − max x − log Σ e^(x − max x)
//   target  t_c = w_c · ((1 − ε)·[c = y] + ε / width)     ε: label_smoothing, w: class weights (1 without)
//   loss    L = Σ_rows Σ_c −t_c log p_c / Σ_rows w_y
//           dL/dx_c = (p_c Σ t − t_c) / Σ_rows w_y
//
// No exponent is positive and no logarithm is of less than 1, so any finite logits give a finite
// loss. Rows without a target (a negative class) do not count; where no row counts the loss and its
// gradients are 0.
#include <math.h>
#include <string.h>
#include "core/activations/real_math.h"
#include "core/base/vector.h"
#include "core/losses/losses.h"

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

// Rows are judged in parts of PART or more, on several threads; an output of a row takes about WORK operations. Exponents
// come CHUNK at a time where nobody wants them kept.
enum { PART = 32, WORK = 8, CHUNK = 64 };

static inline double weight_of(const LossCall *call, int64_t class) {
    return call->class_weights == NULL ? 1 : (double)call->class_weights[class];
}

typedef struct Rows {
    const LossCall *call;
    double smoothing, factor;    // of the gradient
    size_t part;                 // rows
    double loss[PARALLEL_PARTS]; // not yet divided
} Rows;

// The loss of one row, not yet divided, and its gradient times the factor. chunk: where the exponents are put if it is not
// wanted.
__attribute__((always_inline)) static inline double row_loss(const Rows *rows,
                                                             const Real *restrict x, int32_t class,
                                                             Real *restrict gradient,
                                                             Real chunk[CHUNK]) {
    const LossCall *call = rows->call;
    int64_t width = call->width;
    double smoothing = rows->smoothing, factor = rows->factor, sum = 0;
    Real greatest = x[0];
    for (int64_t c = 1; c < width; c++)
        greatest = x[c] > greatest ? x[c] : greatest;
    for (int64_t begin = 0; begin < width; begin += CHUNK) {
        int64_t n = width - begin < CHUNK ? width - begin : CHUNK;
        Real *power = gradient != NULL ? gradient + begin : chunk;
        for (int64_t c = 0; c < n; c++)
            power[c] = real_exp_negative(x[begin + c] - greatest);
        for (int64_t c = 0; c < n; c++)
            sum += (double)power[c];
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

VECTOR_LOOPS static void some_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    Rows *rows = context;
    const LossCall *call = rows->call;
    size_t width = (size_t)call->width, count = (size_t)call->rows;
    Real chunk[CHUNK];
    for (size_t i = begin; i < end; i++) {
        size_t last = (i + 1) * rows->part < count ? (i + 1) * rows->part : count;
        double loss = 0;
        for (size_t r = i * rows->part; r < last; r++) {
            Real *gradient = call->gradients == NULL ? NULL : call->gradients + r * width;
            if (call->classes[r] >= 0)
                loss +=
                    row_loss(rows, call->outputs + r * width, call->classes[r], gradient, chunk);
            else if (gradient != NULL)
                memset(gradient, 0, width * sizeof(Real));
        }
        rows->loss[i] = loss;
    }
}

static double value(const LossCall *call) {
    size_t count = (size_t)call->rows;
    Rows rows; // not all of `loss` is wanted
    rows.call = call;
    rows.smoothing = ((const CrossEntropyParams *)call->params)->label_smoothing;
    rows.part = parallel_part(count, PART);
    double weights = 0, loss = 0;
    for (size_t r = 0; r < count; r++)
        if (call->classes[r] >= 0)
            weights += weight_of(call, call->classes[r]);
    rows.factor = weights > 0 ? 1 / weights : 0;
    size_t parts = (count + rows.part - 1) / rows.part;
    parallel_for(call->parallel, parts, parallel_grain(rows.part * (size_t)call->width * WORK),
                 some_parts, &rows);
    for (size_t i = 0; i < parts; i++)
        loss += rows.loss[i];
    return loss * rows.factor;
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
