// The registry, and the rate of a step: base · warm-up · factor.
#include "core/schedules/schedules.h"

#define ENTRY(name) extern const ScheduleDesc schedule_##name;
#include "core/schedules/schedules.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &schedule_##name.desc,
#include "core/schedules/schedules.inc"
#undef ENTRY
};

const Registry schedule_registry = {"schedule", entries, ARRAY_LENGTH(entries)};

const ScheduleDesc *schedule_find(const char *name) {
    return (const ScheduleDesc *)registry_find(&schedule_registry, name);
}

double schedule_rate(const ScheduleDesc *schedule, const ScheduleCall *call, double learning_rate) {
    double rate = learning_rate * schedule->factor(call);
    if (call->step < call->warmup_steps) {
        rate *= (double)call->step / (double)call->warmup_steps;
    }
    return rate;
}
