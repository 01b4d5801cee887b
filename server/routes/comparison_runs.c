#include "server/routes/comparison_runs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/jobs/spec_patch.h"

// Members of a spec that do not decide what is learned, and the seed.
static const char unessential[] =
    "{\"name\":null,\"tags\":null,\"priority\":null,\"threads\":null,\"max_seconds\":null,"
    "\"max_memory_bytes\":null,\"alias\":null,\"training\":{\"seed\":null,\"record_every\":null,"
    "\"checkpoint_seconds\":null}}";

static int parse(const char *text, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(text, strlen(text), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

double metric_read(const char *metrics, const char *name) {
    Document *document;
    double number = NAN;
    if (metrics == NULL || parse(metrics, &document) != OK)
        return NAN;
    Value value = value_member(document_root(document), name);
    if (value_kind(value) == VALUE_NUMBER)
        number = value_number(value);
    document_destroy(document);
    return number;
}

static int essence(const char *spec, int64_t *ret_seed, char **ret_text) {
    Document *whole = NULL, *patch = NULL, *rest = NULL;
    int error = parse(spec, &whole);
    if (error == OK)
        error = parse(unessential, &patch);
    if (error == OK)
        error = document_merge(document_root(whole), document_root(patch), &rest);
    if (error == OK) {
        *ret_seed = 0;
        value_integer(value_member(value_member(document_root(whole), "training"), "seed"),
                      INT64_MIN, INT64_MAX, ret_seed);
        *ret_text = spec_as_text(document_root(rest));
        error = *ret_text == NULL ? ERR_NO_MEMORY : OK;
    }
    document_destroy(rest);
    document_destroy(patch);
    document_destroy(whole);
    return error;
}

typedef struct Search {
    ComparisonRuns *runs;
    int error;
} Search;

static bool listed(const ComparisonRuns *runs, const JobRow *row, int64_t seed) {
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].seed == seed || strcmp(runs->items[i].id, row->id) == 0)
            return true;
    return false;
}

// Lists are newest first: of two runs with one seed the newer counts.
static int consider(void *context, const JobRow *row) {
    Search *search = context;
    ComparisonRuns *runs = search->runs;
    AUTO_FREE char *spec = NULL;
    int64_t seed;
    search->error = essence(row->spec, &seed, &spec);
    if (search->error != OK)
        return 1;
    if (runs->spec == NULL)
        runs->spec = TAKE(spec);
    else if (strcmp(runs->spec, spec) != 0 || listed(runs, row, seed))
        return 0;
    ComparisonRun *run = &runs->items[runs->count++];
    *run = (ComparisonRun){.seed = seed};
    snprintf(run->id, sizeof run->id, "%s", row->id);
    snprintf(run->status, sizeof run->status, "%s", row->status);
    if (row->metrics != NULL && (run->metrics = memory_string(row->metrics)) == NULL)
        search->error = ERR_NO_MEMORY;
    return runs->count == COMPARISON_RUNS_MAX || search->error != OK;
}

static int consider_family(Store *store, const char *parent, Search *search) {
    const JobFilter filter = {.parent = parent};
    JobRow row;
    int error = jobs_get(store, parent, &row);
    if (error == OK) {
        consider(search, &row);
        job_row_finish(&row);
    }
    if (search->error == OK && search->runs->count < COMPARISON_RUNS_MAX)
        error = jobs_list(store, &filter, NULL, 500, consider, search);
    if (search->error != OK)
        return search->error;
    return error == OK || error == ERR_NOT_FOUND || error == 1 ? OK : error;
}

int comparison_runs_find(Store *store, const JobRow *job, ComparisonRuns *ret_runs) {
    ComparisonRuns runs = {.items = memory_array(COMPARISON_RUNS_MAX, sizeof(ComparisonRun))};
    Search search = {.runs = &runs};
    if (runs.items == NULL)
        return ERR_NO_MEMORY;
    consider(&search, job);
    int error = search.error;
    if (error == OK)
        error = consider_family(store, job->id, &search);
    if (error == OK && job->parent[0] != '\0')
        error = consider_family(store, job->parent, &search);
    if (error != OK) {
        comparison_runs_finish(&runs);
        return error;
    }
    *ret_runs = runs;
    return OK;
}

void comparison_runs_finish(ComparisonRuns *runs) {
    for (size_t i = 0; i < runs->count; i++)
        memory_free(runs->items[i].metrics);
    memory_free(runs->items);
    memory_free(runs->spec);
    *runs = (ComparisonRuns){0};
}

size_t comparison_runs_values(const ComparisonRuns *runs, const char *metric,
                              SpreadRun *ret_values) {
    size_t count = 0;
    for (size_t i = 0; i < runs->count; i++) {
        const ComparisonRun *run = &runs->items[i];
        double value = metric_read(run->metrics, metric);
        if (strcmp(run->status, "succeeded") == 0 && !isnan(value))
            ret_values[count++] = (SpreadRun){run->seed, value};
    }
    return count;
}
