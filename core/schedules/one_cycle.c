// One cycle: up from the base rate to peak_factor times it, then down to nearly nothing, each along
// half a cosine, over the steps behind the warm-up:
//
//   t = step − 1 − warmup,  T = steps − warmup,  top = warmup_fraction · T − 1,
//   bend(a, b, share) = b + (a − b) · (1 + cos(π share)) / 2
//   t ≤ top: bend(1, peak, t / top)     else: bend(peak, 10⁻⁴, (t − top) / (T − 1 − top))
//
// which is PyTorch's OneCycleLR with max_lr = peak · rate, div_factor = peak, final_div_factor 10⁴.
#include <math.h>
#include "core/schedules/schedules.h"

static const double FINAL_FACTOR = 1e-4;

typedef struct OneCycleParams {
    ScheduleCommon common;
    double peak_factor, warmup_fraction;
} OneCycleParams;

static const ParamSpec params[] = {
    {.name = "peak_factor",
     .type = PARAM_NUMBER,
     .offset = offsetof(OneCycleParams, peak_factor),
     .default_number = 10,
     .minimum = 1,
     .maximum = 1e6,
     .help = "the greatest rate, in times of the optimizer's learning_rate"},
    {.name = "warmup_fraction",
     .type = PARAM_NUMBER,
     .offset = offsetof(OneCycleParams, warmup_fraction),
     .default_number = 0.3,
     .minimum = 0,
     .maximum = 1,
     .help = "share of the steps over which the rate rises"},
    SCHEDULE_COMMON_PARAMS,
};

static double bend(double from, double to, double share) {
    return to + (from - to) * (1 + cos(M_PI * share)) / 2;
}

static double factor(const ScheduleCall *call) {
    const OneCycleParams *cycle = call->params;
    double done = (double)(call->step - 1 - call->warmup_steps);
    double last = (double)(call->steps - call->warmup_steps - 1);
    double top = cycle->warmup_fraction * (last + 1) - 1;
    if (done < 0)
        return 1;
    if (done < top)
        return bend(1, cycle->peak_factor, done / top);
    return bend(cycle->peak_factor, FINAL_FACTOR, last > top ? (done - top) / (last - top) : 0);
}

const ScheduleDesc schedule_one_cycle = {
    .desc = {.name = "one_cycle",
             .summary = "The rate rises to a peak and falls to nearly nothing, once over the run.",
             .reference = "Smith & Topin 2018, Super-Convergence, as torch's OneCycleLR has it",
             .params = params,
             .param_count = ARRAY_LENGTH(params),
             .params_size = sizeof(OneCycleParams),
             .probes =
                 (const char *const[]){"{\"params\": {}, \"steps\": 20}",
                                       "{\"params\": {\"peak_factor\": 4, \"warmup_fraction\": "
                                       "0.5, \"warmup_steps\": 3}, \"steps\": 20}",
                                       "{\"params\": {\"warmup_fraction\": 0}, \"steps\": 20}",
                                       "{\"params\": {\"warmup_fraction\": 1}, \"steps\": 20}",
                                       NULL}},
    .factor = factor,
};
