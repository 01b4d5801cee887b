// The registry of learning-rate schedules. Parameters that count time count epochs, but warmup_steps.
//
// Probes hold {"params": {…}, "steps": n}.
#pragma once
#include <math.h>
#include <stddef.h>
#include "core/base/descriptor.h"

typedef struct ScheduleCall {
    const void *params;
    int64_t step;  // from 1
    int64_t steps; // of the whole run
    int64_t steps_per_epoch;
    int64_t warmup_steps; // `step` and `steps` are as the user counts them, warm-up included
    double *state; // [SCHEDULE_STATE], zeros at first, kept in checkpoints (for those that watch a
                   // metric)
} ScheduleCall;

enum { SCHEDULE_STATE = 4 };

typedef struct ScheduleDesc {
    Desc desc;
    // Learning rate = base rate · factor, after the warm-up.
    double (*factor)(const ScheduleCall *call);
    // At every epoch's end, with its validation loss (its training loss where nothing validates);
    // NULL: the schedule watches nothing.
    void (*watch)(const void *params, double loss, double *state);
} ScheduleDesc;

extern const Registry schedule_registry; // "schedule"
const ScheduleDesc *schedule_find(const char *name);

// factor · warm-up: linear from 0 over the first warmup_steps (step s gets s / warmup_steps).
// Every schedule's parameter struct begins with this.
typedef struct ScheduleCommon {
    int64_t warmup_steps;
} ScheduleCommon;
// The row of the common parameter in an entry's table.
#define SCHEDULE_COMMON_PARAMS                                                                     \
    {                                                                                              \
        .name = "warmup_steps", .type = PARAM_INTEGER,                                             \
        .offset = offsetof(ScheduleCommon, warmup_steps), .minimum = 0, .maximum = INFINITY,       \
        .help = "steps over which the rate first rises, linearly from 0"                           \
    }
double schedule_rate(const ScheduleDesc *schedule, const ScheduleCall *call, double learning_rate);
