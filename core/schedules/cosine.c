// Half a cosine from the base rate to final_factor of it, over the steps behind the warm-up:
//   f + (1 − f) · (1 + cos(π t / T)) / 2,   t = step − 1 − warmup, T = steps − warmup
// so the first step has the whole rate, and step T + 1 would have f (PyTorch's CosineAnnealingLR).
#include <math.h>
#include "core/schedules/schedules.h"

typedef struct CosineParams {
    ScheduleCommon common;
    double final_factor;
} CosineParams;

static const ParamSpec params[] = {
    {.name = "final_factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(CosineParams, final_factor),
     .minimum = 0,
     .maximum = 1,
     .help = "share of the rate that is left at the end"},
    SCHEDULE_COMMON_PARAMS,
};

static double factor(const ScheduleCall *call) {
    const CosineParams *cosine = call->params;
    int64_t done = call->step - 1 - call->warmup_steps, all = call->steps - call->warmup_steps;
    if (done <= 0) {
        return 1;
    }
    double share = done < all ? (double)done / (double)all : 1;
    return cosine->final_factor + (1 - cosine->final_factor) * (1 + cos(M_PI * share)) / 2;
}

const ScheduleDesc schedule_cosine = {
    .desc = {.name = "cosine",
             .summary = "The rate falls along half a cosine to the end of the run.",
             .reference = "Loshchilov & Hutter 2017, SGDR, eq. 5 without restarts",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(CosineParams),
             .probes =
                 (const char *const[]){
                     "{\"params\": {}, \"steps\": 20}",
                     "{\"params\": {\"final_factor\": 0.1, \"warmup_steps\": 5}, \"steps\": 20}",
                     NULL}},
    .factor = factor,
};
