// Stairs: rate · factor^⌊epoch / every⌋ with epochs from 0, as PyTorch's StepLR.
#include <math.h>
#include "core/schedules/schedules.h"

typedef struct StepParams {
    ScheduleCommon common;
    int64_t every;
    double factor;
} StepParams;

static const ParamSpec params[] = {
    {.name = "every",
     .type = PARAM_INTEGER,
     .offset = offsetof(StepParams, every),
     .default_number = 10,
     .minimum = 1,
     .maximum = INFINITY,
     .help = "epochs between two falls"},
    {.name = "factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(StepParams, factor),
     .default_number = 0.1,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1,
     .help = "by which each fall multiplies the rate"},
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    const StepParams *step = call->params;
    int64_t epoch = (call->step - 1) / call->steps_per_epoch;
    return pow(step->factor, (double)(epoch / step->every));
}

const ScheduleDesc schedule_step = {
    .desc = {.name = "step",
             .summary = "The rate falls by a factor every few epochs.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(StepParams),
             .probes =
                 (const char *const[]){
                     "{\"params\": {\"every\": 1, \"factor\": 0.5}, \"steps\": 12}",
                     "{\"params\": {\"every\": 2, \"warmup_steps\": 3}, \"steps\": 12}", NULL}},
    .factor = factor,
};
