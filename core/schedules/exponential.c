// The same fall every epoch: rate · factor^epoch with epochs from 0, as PyTorch's ExponentialLR.
#include <math.h>
#include "core/schedules/schedules.h"

typedef struct ExponentialParams {
    ScheduleCommon common;
    double factor;
} ExponentialParams;

static const ParamSpec params[] = {
    {.name = "factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(ExponentialParams, factor),
     .default_number = 0.95,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .help = "by which every epoch multiplies the rate"},
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    const ExponentialParams *exponential = call->params;
    int64_t epoch = (call->step - 1) / call->steps_per_epoch;
    return pow(exponential->factor, (double)epoch);
}

const ScheduleDesc schedule_exponential = {
    .desc = {.name = "exponential",
             .summary = "The rate falls by a factor every epoch.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ExponentialParams),
             .probes =
                 (const char *const[]){
                     "{\"params\": {}, \"steps\": 12}",
                     "{\"params\": {\"factor\": 0.5, \"warmup_steps\": 3}, \"steps\": 12}", NULL}},
    .factor = factor,
};
