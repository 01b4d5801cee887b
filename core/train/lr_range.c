#include "core/train/lr_range.h"
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "core/base/error.h"
#include "core/train/job_private.h"

enum { LINE_POINTS_MIN = 5, MEAN_STEPS_MIN = 10 };
static const double MEAN_WEIGHT = 0.9, BREAK_FACTOR = 4, SURE_ERRORS = 4;

#define FIELD(name) offsetof(LrRangeParams, name)
static const ParamSpec params[] = {
    {.name = "from",
     .type = PARAM_NUMBER,
     .offset = FIELD(from),
     .default_number = 1e-7,
     .minimum = 0,
     .maximum = 1e9,
     .above_minimum = true,
     .help = "learning rate of the first step"},
    {.name = "to",
     .type = PARAM_NUMBER,
     .offset = FIELD(to),
     .default_number = 10,
     .minimum = 0,
     .maximum = 1e9,
     .above_minimum = true,
     .help = "learning rate of the last step, above the first"},
    {.name = "steps",
     .type = PARAM_INTEGER,
     .offset = FIELD(steps),
     .default_number = 200,
     .minimum = 20,
     .maximum = 10000,
     .help = "updates over which the rate rises"},
};
#undef FIELD

const Desc lr_range_desc = {
    .name = "lr_range",
    .summary = "a learning-rate range test",
    .reference = "Smith 2017, Cyclical learning rates for training neural networks",
    .params = params,
    .param_count = ARRAY_LENGTH(params),
    .params_size = sizeof(LrRangeParams),
};

// ---- as a job ----

// The schedule of its one phase, which no user can name: factors of the optimizer's own rate.
typedef struct Sweep {
    ScheduleCommon common;
    double from, to, base;
} Sweep;

static double sweep_factor(const ScheduleCall *call) {
    const Sweep *sweep = call->params;
    double way = (double)(call->step - 1) / (double)(call->steps - 1);
    return sweep->from * pow(sweep->to / sweep->from, way) / sweep->base;
}

static const ScheduleDesc sweep_schedule = {.desc = {.name = "lr_range"}, .factor = sweep_factor};

int job_read_lr_range(Job *job, Value spec, Issues *issues) {
    Value kind = value_member(spec, "kind"), object = value_member(spec, "lr_range");
    const char *name = value_string(kind);
    bool given = value_kind(object) != VALUE_MISSING && value_kind(object) != VALUE_NULL;
    const void *read;
    if (name != NULL && strcmp(name, "lr_range") == 0) {
        int error = params_read(&lr_range_desc, given ? object : VALUE_NONE,
                                PATH_KEY(NULL, "lr_range"), NULL, &job->arena, issues, &read);
        if (error != OK)
            return error;
        job->lr_range = read;
        if (job->lr_range->to > job->lr_range->from)
            return OK;
        issues_add_at(issues, "/lr_range/to", "must be above \"from\", %g", job->lr_range->from);
        return ERR_INVALID;
    }
    bool trains = value_kind(kind) == VALUE_MISSING || value_kind(kind) == VALUE_NULL ||
                  (name != NULL && strcmp(name, "train") == 0);
    if (!trains)
        issues_add_at(issues, "/kind", "must be \"train\" or \"lr_range\"");
    if (trains && given)
        issues_add_at(issues, "/lr_range", "is for jobs of \"kind\": \"lr_range\"");
    return trains && !given ? OK : ERR_INVALID;
}

int job_lay_lr_range(Job *job, JobPhase *phase) {
    const OptimizerCommon *optimizer = phase->optimizer.params;
    Sweep *sweep = arena_new(&job->arena, Sweep);
    if (sweep == NULL)
        return ERR_NO_MEMORY;
    *sweep = (Sweep){
        .from = job->lr_range->from, .to = job->lr_range->to, .base = optimizer->learning_rate};
    phase->schedule = (Selection){&sweep_schedule.desc, sweep};
    phase->end = job->lr_range->steps;
    return OK;
}

const LrRangeParams *job_lr_range(const Job *job) {
    return job->lr_range;
}

void job_write_lr_range(const Job *job, const ValueWriter *out) {
    if (job->lr_range == NULL)
        return;
    write_string(out, "kind", "lr_range");
    write_begin_object(out, "lr_range");
    params_write(&lr_range_desc, job->lr_range, out);
    write_end_object(out);
}

// ---- the run ----

int lr_range_init(LrRange *range, const LrRangeParams *given) {
    *range = (LrRange){.params = given};
    range->rates = memory_array((size_t)given->steps, sizeof(double));
    range->losses = memory_array((size_t)given->steps, sizeof(double));
    if (range->rates != NULL && range->losses != NULL)
        return OK;
    lr_range_finish(range);
    return ERR_NO_MEMORY;
}

void lr_range_finish(LrRange *range) {
    memory_free(range->rates);
    memory_free(range->losses);
    *range = (LrRange){0};
}

bool lr_range_take(LrRange *range, double rate, double loss) {
    if (range->count == range->params->steps)
        return false;
    range->rates[range->count] = rate;
    range->losses[range->count++] = loss;
    range->broke_away = !isfinite(loss);
    if (range->broke_away)
        return true;
    range->mean = MEAN_WEIGHT * range->mean + (1 - MEAN_WEIGHT) * loss;
    range->weight = MEAN_WEIGHT * range->weight + (1 - MEAN_WEIGHT);
    double mean = range->mean / range->weight;
    if (range->count < MEAN_STEPS_MIN)
        return false;
    if (range->count == MEAN_STEPS_MIN)
        range->first = range->least = mean;
    range->least = fmin(range->least, mean);
    range->broke_away = mean > BREAK_FACTOR * range->least && mean > range->first;
    return range->broke_away;
}

// ---- what the curve says ----

typedef struct Line {
    double height;       // at the rate in the middle
    double slope, error; // … and its standard error; NAN: too few points
} Line;

// Through the steps whose rates are within half a decade of that of step `at`.
static Line line_at(const LrRange *range, int64_t at) {
    double half = log(10) / 2 + 1e-9, middle = log(range->rates[at]);
    int64_t begin = at, end = at + 1, finite = 0;
    while (begin > 0 && middle - log(range->rates[begin - 1]) <= half)
        begin--;
    while (end < range->count && log(range->rates[end]) - middle <= half)
        end++;
    double x = 0, y = 0, xx = 0, xy = 0, rest = 0;
    for (int64_t i = begin; i < end; i++) {
        if (!isfinite(range->losses[i]))
            continue;
        x += log(range->rates[i]) - middle;
        y += range->losses[i];
        finite++;
    }
    double n = (double)finite;
    x /= n;
    y /= n;
    for (int64_t i = begin; i < end; i++) {
        if (!isfinite(range->losses[i]))
            continue;
        double dx = log(range->rates[i]) - middle - x;
        xx += dx * dx;
        xy += dx * (range->losses[i] - y);
    }
    Line line = {.height = y, .slope = NAN, .error = NAN};
    if (finite < LINE_POINTS_MIN)
        return line;
    line.slope = xy / xx;
    line.height = y - line.slope * x;
    for (int64_t i = begin; i < end; i++) {
        if (!isfinite(range->losses[i]))
            continue;
        double dx = log(range->rates[i]) - middle - x;
        rest += pow(range->losses[i] - y - line.slope * dx, 2);
    }
    line.error = sqrt(rest / (n - 2) / xx);
    return line;
}

void lr_range_result(const LrRange *range, LrRangeResult *ret_result) {
    LrRangeResult result = {NAN, NAN, NAN, NAN, NAN};
    int64_t minimum = 0;
    for (int64_t i = 0; i < range->count; i++) {
        double height = line_at(range, i).height;
        if (isfinite(height) && !(height >= result.minimum_loss)) {
            result.minimum_loss = height;
            result.minimum_rate = range->rates[i];
            minimum = i;
        }
    }
    for (int64_t i = 0; i <= minimum && i < range->count; i++) {
        Line line = line_at(range, i);
        if (line.slope < -SURE_ERRORS * line.error && !(line.slope >= result.slope)) {
            result.slope = line.slope;
            result.suggested = range->rates[i];
        }
    }
    if (range->broke_away)
        result.broke_away_at = range->rates[range->count - 1];
    *ret_result = result;
}

static void write_or_null(const ValueWriter *out, const char *key, double number) {
    if (isnan(number))
        write_null(out, key);
    else
        write_number(out, key, number);
}

static void write_curve(const LrRange *range, const ValueWriter *out) {
    write_begin_object(out, "curve");
    write_begin_array(out, "learning_rate");
    for (int64_t i = 0; i < range->count; i++)
        write_number(out, NULL, range->rates[i]);
    write_end_array(out);
    write_begin_array(out, "loss");
    for (int64_t i = 0; i < range->count; i++)
        write_number(out, NULL, range->losses[i]);
    write_end_array(out);
    write_begin_array(out, "smoothed_loss");
    for (int64_t i = 0; i < range->count; i++)
        write_number(out, NULL, line_at(range, i).height);
    write_end_array(out);
    write_end_object(out);
}

void lr_range_write(const LrRange *range, const char *key, const ValueWriter *out) {
    LrRangeResult result;
    lr_range_result(range, &result);
    write_begin_object(out, key);
    write_or_null(out, "suggested_learning_rate", result.suggested);
    write_or_null(out, "slope", result.slope);
    write_begin_object(out, "minimum");
    write_or_null(out, "learning_rate", result.minimum_rate);
    write_or_null(out, "loss", result.minimum_loss);
    write_end_object(out);
    write_or_null(out, "broke_away_at", result.broke_away_at);
    write_integer(out, "steps", range->count);
    write_curve(range, out);
    write_end_object(out);
}
