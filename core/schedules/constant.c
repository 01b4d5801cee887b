// The base rate throughout, after the warm-up.
#include "core/schedules/schedules.h"

typedef struct ConstantParams {
    ScheduleCommon common;
} ConstantParams;

static const ParamSpec params[] = {
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    (void)call;
    return 1;
}

const ScheduleDesc schedule_constant = {
    .desc = {.name = "constant",
             .summary = "The same learning rate at every step.",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(ConstantParams),
             .probes =
                 (const char *const[]){"{\"params\": {}, \"steps\": 10}",
                                       "{\"params\": {\"warmup_steps\": 4}, \"steps\": 10}", NULL}},
    .factor = factor,
};
