// The rate falls when the loss no longer does: after more than `patience` epochs in a row without
// one below (1 − 10⁻⁴) times the least so far, the rate is multiplied by `factor` and the waiting
// begins anew. PyTorch's ReduceLROnPlateau with its default threshold.
//
// State: how often it fell; the least loss; the epochs waited; whether there was a loss yet. A loss
// that is no number is not better than any.
#include <math.h>
#include "core/schedules/schedules.h"

static const double THRESHOLD = 1e-4;

enum { FALLS, LEAST, WAITED, SEEN };

typedef struct PlateauParams {
    ScheduleCommon common;
    int64_t patience;
    double factor;
} PlateauParams;

static const ParamSpec params[] = {
    {.name = "patience",
     .type = PARAM_INTEGER,
     .offset = offsetof(PlateauParams, patience),
     .default_number = 3,
     .minimum = 0,
     .maximum = 1e9,
     .help = "epochs without a lower loss that are waited for; the next one lets the rate fall"},
    {.name = "factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(PlateauParams, factor),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .help = "by which each fall multiplies the rate"},
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    return pow(((const PlateauParams *)call->params)->factor, call->state[FALLS]);
}

static void watch(const void *untyped, double loss, double *state) {
    const PlateauParams *plateau = untyped;
    if (isfinite(loss) && (state[SEEN] == 0 || loss < state[LEAST] * (1 - THRESHOLD))) {
        state[SEEN] = 1;
        state[LEAST] = loss;
        state[WAITED] = 0;
    } else if (++state[WAITED] > (double)plateau->patience) {
        state[FALLS]++;
        state[WAITED] = 0;
    }
}

const ScheduleDesc schedule_plateau = {
    .desc = {.name = "plateau",
             .summary = "The rate falls whenever the validation loss no longer does.",
             .reference = "torch.optim.lr_scheduler.ReduceLROnPlateau",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(PlateauParams),
             .probes = (const char *const[]){"{\"params\": {}, \"steps\": 12}",
                                             "{\"params\": {\"patience\": 0, \"factor\": 0.5, "
                                             "\"warmup_steps\": 3}, \"steps\": 12}",
                                             NULL}},
    .factor = factor,
    .watch = watch,
};
