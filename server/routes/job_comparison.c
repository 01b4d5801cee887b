// Two jobs side by side: what differs in their specs, and what came of it. "from" is the job that `with` names (the parent,
// unless it is given), "to" the one of the path.
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/jobs/gradient_profile.h"
#include "server/routes/common.h"
#include "server/routes/comparison_runs.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_findings.h"
#include "server/routes/value_difference.h"

typedef struct Side {
    JobRow row;
    Document *spec, *plan, *metrics, *best; // NULL: there is none
    JobFindings findings;
    GradientProfile gradients;
    ComparisonRuns runs;
} Side;

typedef struct Comparison {
    Language language;
    Side from, to;
    const char *metric; // that the verdict goes by; NULL: they have none in common
    size_t from_count, to_count;
    SpreadRun from_values[COMPARISON_RUNS_MAX], to_values[COMPARISON_RUNS_MAX];
    bool same; // nothing but the seed differs
    Spread spread;
    bool spread_known;
} Comparison;

static void side_finish(Side *side) {
    comparison_runs_finish(&side->runs);
    gradient_profile_finish(&side->gradients);
    job_findings_finish(&side->findings);
    document_destroy(side->best);
    document_destroy(side->metrics);
    document_destroy(side->plan);
    document_destroy(side->spec);
    job_row_finish(&side->row);
}

// ---- reading ----

static int parse(const char *text, Document **ret_document) {
    Issues issues;
    if (text == NULL)
        return OK;
    issues_init(&issues);
    int error = document_parse(text, strlen(text), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

static int side_read(Store *store, Language language, Side *side) {
    int error = parse(side->row.spec, &side->spec);
    if (error == OK)
        error = parse(side->row.plan, &side->plan);
    if (error == OK)
        error = parse(side->row.metrics, &side->metrics);
    if (error == OK)
        error = parse(side->row.best, &side->best);
    if (error == OK)
        error = job_findings_read(store, &side->row, language, &side->findings);
    if (error == OK)
        error = gradient_profile_read(store, side->row.id, &side->gradients);
    return error == OK ? comparison_runs_find(store, &side->row, &side->runs) : error;
}

static Value root(const Document *document) {
    return document == NULL ? VALUE_NONE : document_root(document);
}

// ---- metrics ----

static bool is_number(Value object, const char *name) {
    return value_kind(value_member(object, name)) == VALUE_NUMBER;
}

static void write_metric(JsonOut *out, const char *name, Value from, Value to) {
    ValueWriter writer = json_writer(out);
    Value before = value_member(from, name), after = value_member(to, name);
    json_begin_object(out, name);
    if (value_kind(before) == VALUE_MISSING)
        json_null(out, "from");
    else
        write_value(&writer, "from", before);
    if (value_kind(after) == VALUE_MISSING)
        json_null(out, "to");
    else
        write_value(&writer, "to", after);
    if (is_number(from, name) && is_number(to, name))
        json_number(out, "difference", value_number(after) - value_number(before));
    else
        json_null(out, "difference");
    json_end_object(out);
}

static void write_metrics(JsonOut *out, const char *key, Value from, Value to) {
    json_begin_object(out, key);
    VALUE_FOREACH(member, from)
    write_metric(out, value_key(member), from, to);
    VALUE_FOREACH(member, to) {
        if (value_kind(value_member(from, value_key(member))) == VALUE_MISSING)
            write_metric(out, value_key(member), from, to);
    }
    json_end_object(out);
}

// ---- gradients ----

static void write_profile(JsonOut *out, const char *key, const GradientProfile *profile,
                          size_t layer) {
    bool known = false;
    for (int c = 1; layer < profile->layers && c < GRADIENT_COLUMNS; c++)
        known = known || !isnan(profile->median[layer][c]);
    if (!known) {
        json_null(out, key);
        return;
    }
    json_begin_object(out, key);
    for (int c = 1; c < GRADIENT_COLUMNS; c++)
        if (!isnan(profile->median[layer][c]))
            json_number(out, gradient_names[c], profile->median[layer][c]);
    json_end_object(out);
}

static Value layers_of(const Side *side) {
    return value_member(root(side->plan), "layers");
}

// The index of the layer in the plan; SIZE_MAX.
static size_t plan_index(const Side *side, const char *name) {
    size_t index = 0;
    VALUE_FOREACH(layer, layers_of(side)) {
        const char *known = value_string(value_member(layer, "name"));
        if (known != NULL && strcmp(known, name) == 0)
            return index;
        index++;
    }
    return SIZE_MAX;
}

static void write_layer(JsonOut *out, const Comparison *comparison, const char *name) {
    json_begin_object(out, NULL);
    json_string(out, "name", name);
    write_profile(out, "from", &comparison->from.gradients, plan_index(&comparison->from, name));
    write_profile(out, "to", &comparison->to.gradients, plan_index(&comparison->to, name));
    json_end_object(out);
}

static void write_gradients(JsonOut *out, const Comparison *comparison) {
    json_begin_object(out, "gradients");
    json_begin_array(out, "layers");
    VALUE_FOREACH(layer, layers_of(&comparison->from)) {
        const char *name = value_string(value_member(layer, "name"));
        if (name != NULL)
            write_layer(out, comparison, name);
    }
    VALUE_FOREACH(layer, layers_of(&comparison->to)) {
        const char *name = value_string(value_member(layer, "name"));
        if (name != NULL && plan_index(&comparison->from, name) == SIZE_MAX)
            write_layer(out, comparison, name);
    }
    json_end_array(out);
    json_end_object(out);
}

// ---- findings ----

static bool same_text(Value a, Value b) {
    const char *x = value_string(a), *y = value_string(b);
    return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool has_finding(const JobFindings *findings, Value finding) {
    VALUE_FOREACH(other, job_findings_list(findings)) {
        if (same_text(value_member(other, "code"), value_member(finding, "code")) &&
            same_text(value_member(other, "layer"), value_member(finding, "layer")))
            return true;
    }
    return false;
}

static void write_only(JsonOut *out, const char *key, const JobFindings *of,
                       const JobFindings *beside) {
    ValueWriter writer = json_writer(out);
    json_begin_array(out, key);
    VALUE_FOREACH(finding, job_findings_list(of)) {
        if (!has_finding(beside, finding))
            write_value(&writer, NULL, finding);
    }
    json_end_array(out);
}

// "vanishing_gradient (dense_1), overfitting"; or that there is none.
static void list_only(Text *text, const JobFindings *of, const JobFindings *beside,
                      Language language) {
    VALUE_FOREACH(finding, job_findings_list(of)) {
        const char *code = value_string(value_member(finding, "code"));
        const char *layer = value_string(value_member(finding, "layer"));
        if (code == NULL || has_finding(beside, finding))
            continue;
        text_add_format(text, "%s%s", text->length > 0 ? ", " : "", code);
        if (layer != NULL)
            text_add_format(text, " (%s)", layer);
    }
    if (text->length == 0)
        text_say(text, language, "verdict", "none", NULL, NULL);
}

// ---- the spread over seeds ----

static const struct {
    const char *name;
    bool less_is_better;
} judged[] = {{"val_accuracy", false},  {"val_rmse", true},        {"val_perplexity", true},
              {"val_loss", true},       {"train_accuracy", false}, {"train_loss", true},
              {"test_accuracy", false}, {"test_rmse", true}};

static void spread_find(Comparison *comparison) {
    Side *from = &comparison->from, *to = &comparison->to;
    for (size_t i = 0; i < ARRAY_LENGTH(judged) && comparison->metric == NULL; i++)
        if (is_number(root(from->metrics), judged[i].name) &&
            is_number(root(to->metrics), judged[i].name))
            comparison->metric = judged[i].name;
    comparison->same = strcmp(from->runs.spec, to->runs.spec) == 0;
    if (comparison->metric == NULL)
        return;
    comparison->from_count =
        comparison_runs_values(&from->runs, comparison->metric, comparison->from_values);
    comparison->to_count =
        comparison_runs_values(&to->runs, comparison->metric, comparison->to_values);
    comparison->spread_known =
        comparison->from_count > 1 && comparison->to_count > 1 && !comparison->same;
    if (comparison->spread_known)
        spread_compare(comparison->from_values, comparison->from_count, comparison->to_values,
                       comparison->to_count, &comparison->spread);
}

static void write_runs(JsonOut *out, const char *key, const ComparisonRuns *runs,
                       const char *metric) {
    json_begin_array(out, key);
    for (size_t i = 0; i < runs->count; i++) {
        const ComparisonRun *run = &runs->items[i];
        double value = metric_read(run->metrics, metric);
        json_begin_object(out, NULL);
        json_string(out, "job", run->id);
        json_integer(out, "seed", run->seed);
        json_string(out, "status", run->status);
        if (isnan(value))
            json_null(out, "value");
        else
            json_number(out, "value", value);
        json_end_object(out);
    }
    json_end_array(out);
}

static void write_moments(JsonOut *out, const char *key, double mean, double std) {
    json_begin_object(out, key);
    json_number(out, "mean", mean);
    json_number(out, "std", std);
    json_end_object(out);
}

static void write_spread(JsonOut *out, const Comparison *comparison) {
    const Spread *spread = &comparison->spread;
    if (comparison->metric == NULL) {
        json_null(out, "spread");
        return;
    }
    json_begin_object(out, "spread");
    json_string(out, "metric", comparison->metric);
    json_begin_object(out, "runs");
    write_runs(out, "from", &comparison->from.runs, comparison->metric);
    write_runs(out, "to", &comparison->to.runs, comparison->metric);
    json_end_object(out);
    if (comparison->spread_known) {
        write_moments(out, "from", spread->from_mean, spread->from_std);
        write_moments(out, "to", spread->to_mean, spread->to_std);
        json_number(out, "difference", spread->difference);
        json_string(out, "test", spread->paired ? "paired_t" : "welch_t");
        if (isnan(spread->p))
            json_null(out, "p");
        else
            json_number(out, "p", spread->p);
        json_boolean(out, "exceeds", spread->exceeds);
    }
    json_end_object(out);
}

// ---- the verdict ----

// The part of a key.
static const char *direction(const char *metric, double difference) {
    for (size_t i = 0; i < ARRAY_LENGTH(judged); i++)
        if (strcmp(judged[i].name, metric) == 0 && difference != 0)
            return (difference < 0) == judged[i].less_is_better ? "better" : "worse";
    return "same";
}

typedef struct Digits {
    char text[32];
} Digits;

static Digits digits(int count, double number) {
    Digits digits;
    snprintf(digits.text, sizeof digits.text, "%.*g", count, number);
    return digits;
}

static void say_statuses(Text *text, const Comparison *comparison) {
    const JobRow *rows[] = {&comparison->from.row, &comparison->to.row};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        const TextPlace places[] = {{"job", rows[i]->id, 0}, {"status", rows[i]->status, 0}, {0}};
        if (strcmp(rows[i]->status, "succeeded") != 0)
            text_say(text, comparison->language, "verdict", "status", NULL, places);
    }
}

static void say_metric(Text *text, const Comparison *comparison) {
    const char *metric = comparison->metric;
    if (metric == NULL) {
        text_say(text, comparison->language, "verdict", "no_metric", NULL, NULL);
        return;
    }
    double from = value_number(value_member(root(comparison->from.metrics), metric));
    double to = value_number(value_member(root(comparison->to.metrics), metric));
    Digits before = digits(4, from), after = digits(4, to);
    const TextPlace places[] = {{"metric", metric, 0},
                                {"from", before.text, 0},
                                {"to", after.text, 0},
                                {"by", NULL, fabs(to - from)},
                                {0}};
    text_say(text, comparison->language, "verdict", "metric", direction(metric, to - from), places);
}

// Runs that ended otherwise than well, and those that have not ended.
static void say_missing(Text *text, Language language, const char *which,
                        const ComparisonRuns *runs) {
    size_t lost = 0, waited = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const char *status = runs->items[i].status;
        bool ended = strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0;
        lost += ended;
        waited += !ended && strcmp(status, "succeeded") != 0;
    }
    TextPlace places[] = {{"runs", NULL, (double)runs->count}, {"count", NULL, (double)lost}, {0}};
    if (lost > 0)
        text_say(text, language, "verdict", "failed", which, places);
    places[1].number = (double)waited;
    if (waited > 0)
        text_say(text, language, "verdict", "waiting", which, places);
}

static void say_seeds(Text *text, const Comparison *comparison) {
    const Spread *spread = &comparison->spread;
    Digits from = digits(4, spread->from_mean), to = digits(4, spread->to_mean),
           from_std = digits(2, spread->from_std), to_std = digits(2, spread->to_std),
           p = digits(2, spread->p);
    const TextPlace places[] = {{"from", from.text, 0},
                                {"from_std", from_std.text, 0},
                                {"from_runs", NULL, (double)comparison->from_count},
                                {"to", to.text, 0},
                                {"to_std", to_std.text, 0},
                                {"to_runs", NULL, (double)comparison->to_count},
                                {"by", NULL, fabs(spread->difference)},
                                {"p", p.text, 0},
                                {0}};
    text_say(text, comparison->language, "verdict", "seeds",
             direction(comparison->metric, spread->difference), places);
    text_say(text, comparison->language, "verdict", spread->exceeds ? "exceeds" : "within",
             isnan(spread->p) ? "unscattered"
             : spread->paired ? "paired"
                              : "welch",
             places);
}

static void say_spread(Text *text, const Comparison *comparison) {
    Language language = comparison->language;
    if (comparison->same) {
        text_say(text, language, "verdict", "same_spec", NULL, NULL);
        return;
    }
    say_missing(text, language, "before", &comparison->from.runs);
    say_missing(text, language, "after", &comparison->to.runs);
    if (comparison->spread_known)
        say_seeds(text, comparison);
    else if (comparison->metric != NULL)
        text_say(text, language, "verdict", "seeds_wanted", NULL, NULL);
}

static void say_findings(Text *text, const Comparison *comparison) {
    const JobFindings *from = &comparison->from.findings, *to = &comparison->to.findings;
    Text closed, opened;
    text_init(&closed);
    text_init(&opened);
    list_only(&closed, from, to, comparison->language);
    list_only(&opened, to, from, comparison->language);
    const TextPlace places[] = {
        {"closed", text_string(&closed), 0}, {"opened", text_string(&opened), 0}, {0}};
    text_say(text, comparison->language, "verdict", "findings", NULL, places);
    text->failed |= closed.failed || opened.failed;
    text_finish(&closed);
    text_finish(&opened);
}

static void say_verdict(const Comparison *comparison, Text *text) {
    say_statuses(text, comparison);
    say_metric(text, comparison);
    say_spread(text, comparison);
    say_findings(text, comparison);
    if (strcmp(comparison->from.row.dataset, comparison->to.row.dataset) != 0)
        text_say(text, comparison->language, "verdict", "datasets", NULL, NULL);
}

// ---- the answer ----

static void answer_comparison(Request *request, const Comparison *comparison) {
    const Side *from = &comparison->from, *to = &comparison->to;
    Text verdict;
    JsonOut out;
    text_init(&verdict);
    say_verdict(comparison, &verdict);
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "from", from->row.id);
    json_string(&out, "to", to->row.id);
    value_difference_write(&out, "spec_difference", root(from->spec), root(to->spec));
    json_begin_object(&out, "metrics");
    write_metrics(&out, "final", root(from->metrics), root(to->metrics));
    write_metrics(&out, "best", root(from->best), root(to->best));
    json_end_object(&out);
    write_gradients(&out, comparison);
    json_begin_object(&out, "findings");
    write_only(&out, "opened", &to->findings, &from->findings);
    write_only(&out, "closed", &from->findings, &to->findings);
    json_end_object(&out);
    write_spread(&out, comparison);
    json_string(&out, "verdict", text_string(&verdict));
    json_end_object(&out);
    out.text.failed |= verdict.failed;
    answer_language(request, comparison->language);
    answer_json(request, 200, &out);
    json_finish(&out);
    text_finish(&verdict);
}

// The other job: OK, or an error that has been answered.
static int from_find(Request *request, Comparison *comparison) {
    const char *with = request_query(request, "with");
    if (with == NULL)
        with = comparison->to.row.parent;
    if (with[0] == '\0') {
        answer_problem(request, 400,
                       "The query's \"with\" must name a job: this one has no parent.");
        return ERR_INVALID;
    }
    Store *store = request_services(request)->store;
    int error =
        id_valid("job_", with) ? jobs_get(store, with, &comparison->from.row) : ERR_NOT_FOUND;
    if (error == ERR_NOT_FOUND)
        answer_problem(request, 404, "There is no job \"%.60s\" to compare with.", with);
    else if (error != OK)
        answer_error(request, error, NULL);
    return error;
}

static void comparison_get(Request *request) {
    Store *store = request_services(request)->store;
    Comparison *comparison = memory_new(Comparison);
    if (comparison == NULL) {
        answer_error(request, ERR_NO_MEMORY, NULL);
        return;
    }
    comparison->language = request_language(request);
    if (job_find(request, request_param(request, "id"), &comparison->to.row) == OK &&
        from_find(request, comparison) == OK) {
        int error = side_read(store, comparison->language, &comparison->from);
        if (error == OK)
            error = side_read(store, comparison->language, &comparison->to);
        if (error == OK)
            spread_find(comparison);
        if (error == OK)
            answer_comparison(request, comparison);
        else
            answer_error(request, error, NULL);
    }
    side_finish(&comparison->from);
    side_finish(&comparison->to);
    memory_free(comparison);
}

static const QueryDesc query[] = {
    {"with", QUERY_TEXT, 0, 0, NULL, NULL, "The job to compare with: its parent, unless given."},
    {0},
};
static const int errors[] = {400, 404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/comparison",
     .tag = "jobs",
     .summary = "Two jobs side by side: specs, metrics, gradients, findings, and a verdict",
     .query = query,
     .status = 200,
     .response_schema = "Comparison",
     .errors = errors,
     .handler = comparison_get},
};

const RouteGroup job_comparison_routes = {"job_comparison", NULL, routes, ARRAY_LENGTH(routes)};
