// The spread of the validation metric over the seeds of one spec. A tenth may be the luck of the split, which the seed decides too; 0.3
// between the best and the worst of a few runs is the net's.
#include "server/routes/job_seeds.h"

#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/routes/comparison_runs.h"

static const double THRESHOLD = 0.3;
enum { RUNS_LEAST = 3 };

typedef struct Seeds {
    const char *metric;
    int runs, low; // that have ended; that lie far below the best
    double best, worst, own;
    int64_t best_seed;
} Seeds;

// A run that failed reached nothing; an R² below 0 is no better than that.
static double value_of(const ComparisonRun *run, const char *metric) {
    double value = metric_read(run->metrics, metric);
    if (strcmp(run->status, "failed") == 0)
        return 0;
    return strcmp(run->status, "succeeded") == 0 ? fmax(value, 0) : NAN;
}

// The first metric that any run has. False: too few have ended, or they agree.
static bool seeds_read(const ComparisonRuns *runs, Seeds *ret_seeds) {
    static const char *const metrics[] = {"val_accuracy", "val_r2"};
    Seeds seeds = {.best = -INFINITY, .worst = INFINITY, .own = NAN};
    for (size_t m = 0; m < ARRAY_LENGTH(metrics) && seeds.metric == NULL; m++)
        for (size_t i = 0; i < runs->count; i++)
            if (!isnan(metric_read(runs->items[i].metrics, metrics[m])))
                seeds.metric = metrics[m];
    if (seeds.metric == NULL)
        return false;
    for (size_t i = 0; i < runs->count; i++) {
        double value = value_of(&runs->items[i], seeds.metric);
        if (isnan(value))
            continue;
        seeds.runs++;
        seeds.own = i == 0 ? value : seeds.own;
        seeds.worst = fmin(seeds.worst, value);
        if (value > seeds.best) {
            seeds.best = value;
            seeds.best_seed = runs->items[i].seed;
        }
    }
    for (size_t i = 0; i < runs->count; i++)
        seeds.low += value_of(&runs->items[i], seeds.metric) <= seeds.best - THRESHOLD;
    *ret_seeds = seeds;
    return seeds.runs >= RUNS_LEAST && seeds.low > 0;
}

static bool find_evidence(void *context, const char *name, double *ret_number,
                          const char **ret_word) {
    const Seeds *seeds = context;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"runs", seeds->runs}, {"low", seeds->low}, {"best", seeds->best}, {"worst", seeds->worst}};
    if (strcmp(name, "metric") == 0)
        *ret_word = seeds->metric;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        if (strcmp(name, numbers[i].name) == 0)
            *ret_number = numbers[i].value;
    return true;
}

static void write_finding(JsonOut *out, Seeds *seeds, bool hurts, Language language) {
    Text explanation;
    text_init(&explanation);
    texts_render(texts_find(language, "finding.seed_sensitive.runs"),
                 &(TextValues){seeds, find_evidence}, &explanation);
    json_begin_object(out, NULL);
    json_string(out, "code", "seed_sensitive");
    json_string(out, "symptom", "runs");
    json_string(out, "severity", hurts ? "warning" : "info");
    json_null(out, "layer");
    json_integer(out, "first_step", 0);
    json_begin_object(out, "evidence");
    json_string(out, "metric", seeds->metric);
    json_integer(out, "runs", seeds->runs);
    json_integer(out, "low", seeds->low);
    json_number(out, "best", seeds->best);
    json_number(out, "worst", seeds->worst);
    json_integer(out, "best_seed", seeds->best_seed);
    json_number(out, "threshold", THRESHOLD);
    json_end_object(out);
    json_string(out, "explanation", text_string(&explanation));
    out->text.failed |= explanation.failed;
    json_begin_array(out, "remedies");
    json_begin_object(out, NULL);
    json_string(out, "code", "other_seed");
    json_string(out, "title", texts_find(language, "remedy.other_seed.title"));
    json_string(out, "why", texts_find(language, "remedy.other_seed.why"));
    json_begin_object(out, "patch");
    json_begin_object(out, "training");
    json_integer(out, "seed", seeds->best_seed);
    json_end_object(out);
    json_end_object(out);
    json_end_object(out);
    json_end_array(out);
    json_end_object(out);
    text_finish(&explanation);
}

int job_seeds_write(Store *store, const JobRow *row, Language language, JsonOut *out,
                    bool *ret_hurts) {
    ComparisonRuns runs = {0};
    Seeds seeds;
    *ret_hurts = false;
    int error = comparison_runs_find(store, row, &runs);
    if (error == OK && seeds_read(&runs, &seeds)) {
        *ret_hurts = seeds.own <= seeds.best - THRESHOLD;
        write_finding(out, &seeds, *ret_hurts, language);
    }
    comparison_runs_finish(&runs);
    return error;
}
