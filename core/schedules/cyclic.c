// A triangle wave between low_factor times the rate and the rate itself, one wave in `period`
// epochs, counted behind the warm-up:
//
//   x = t / (period · steps per epoch) − ⌊…⌋,  t = step − 1 − warmup
//   low + (1 − low) · (x ≤ 1/2 ? 2x : 2 − 2x)
//
// which is PyTorch's CyclicLR ("triangular") with step_size_up = period · steps per epoch / 2.
#include <math.h>
#include "core/schedules/schedules.h"

typedef struct CyclicParams {
    ScheduleCommon common;
    double period, low_factor;
} CyclicParams;

static const ParamSpec params[] = {
    {.name = "period",
     .type = PARAM_NUMBER,
     .offset = offsetof(CyclicParams, period),
     .default_number = 10,
     .minimum = 0,
     .above_minimum = true,
     .maximum = 1e9,
     .help = "epochs of one wave, up and down; may be a fraction"},
    {.name = "low_factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(CyclicParams, low_factor),
     .default_number = 0.1,
     .minimum = 0,
     .maximum = 1,
     .help = "share of the rate at which each wave begins and ends"},
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    const CyclicParams *cyclic = call->params;
    double done = fmax((double)(call->step - 1 - call->warmup_steps), 0);
    double waves = done / (cyclic->period * (double)call->steps_per_epoch);
    double x = waves - floor(waves);
    return cyclic->low_factor + (1 - cyclic->low_factor) * (x <= 0.5 ? 2 * x : 2 - 2 * x);
}

const ScheduleDesc schedule_cyclic = {
    .desc = {.name = "cyclic",
             .summary = "The rate goes up and down in equal waves.",
             .reference = "Smith 2017, Cyclical Learning Rates, section 3.1, as torch's CyclicLR "
                          "has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(CyclicParams),
             .probes = (const char *const[]){"{\"params\": {\"period\": 2}, \"steps\": 20}",
                                             "{\"params\": {\"period\": 0.5, \"low_factor\": 0.2, "
                                             "\"warmup_steps\": 3}, \"steps\": 20}",
                                             NULL}},
    .factor = factor,
};
