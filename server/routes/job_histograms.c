// How the numbers of a layer were spread, at up to some thirty steps of the run; as JSON or CSV.
//
//   {"layer", "kind", "steps": [1, 5, …], "edges": [[33 numbers], …], "counts": [[32 numbers], …]}
//   step,from,to,count
#include <string.h>
#include "core/base/error.h"
#include "core/diagnose/histogram.h"
#include "server/json/document.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

typedef struct Gather {
    const char *layer, *kind;
    JsonOut steps, edges, counts;
    Text csv;
    bool any, known; // some step has histograms, some the layer
} Gather;

static double edge(double least, double greatest, int i) {
    return i == HISTOGRAM_BINS ? greatest : least + (greatest - least) * i / HISTOGRAM_BINS;
}

static void add_histogram(Gather *gather, int64_t step, Value histogram) {
    ValueWriter writer = json_writer(&gather->counts);
    double least = value_number(value_member(histogram, "least"));
    double greatest = value_number(value_member(histogram, "greatest"));
    Value counts = value_member(histogram, "counts");
    int bin = 0;
    json_integer(&gather->steps, NULL, step);
    json_begin_array(&gather->edges, NULL);
    for (int i = 0; i <= HISTOGRAM_BINS; i++)
        json_number(&gather->edges, NULL, edge(least, greatest, i));
    json_end_array(&gather->edges);
    write_value(&writer, NULL, counts);
    VALUE_FOREACH(count, counts) {
        text_add_format(&gather->csv, "%lld,%.9g,%.9g,%.0f\n", (long long)step,
                        edge(least, greatest, bin), edge(least, greatest, bin + 1),
                        value_number(count));
        bin++;
    }
}

static int add_step(void *context, int64_t step, const char *json) {
    Gather *gather = context;
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    int error = document_parse(json, strlen(json), NULL, &issues, &document);
    issues_finish(&issues);
    if (error != OK)
        return error == ERR_NO_MEMORY ? error : ERR_DAMAGED;
    Value layer = value_member(value_member(document_root(document), "layers"), gather->layer);
    Value histogram = value_member(layer, gather->kind);
    gather->any = true;
    gather->known |= value_kind(layer) == VALUE_OBJECT;
    if (value_kind(histogram) == VALUE_OBJECT)
        add_histogram(gather, step, histogram);
    document_destroy(document);
    return OK;
}

static void answer_gathered(Request *request, Gather *gather) {
    JsonOut out;
    answer_header(request, "Vary", "Accept");
    if (strcmp(request_preferred_type(request), "text/csv") == 0) {
        answer_text(request, 200, "text/csv; charset=utf-8", &gather->csv);
        return;
    }
    json_init(&out);
    json_begin_object(&out, NULL);
    json_string(&out, "layer", gather->layer);
    json_string(&out, "kind", gather->kind);
    json_raw(&out, "steps", text_string(&gather->steps.text));
    json_raw(&out, "edges", text_string(&gather->edges.text));
    json_raw(&out, "counts", text_string(&gather->counts.text));
    out.text.failed |=
        gather->steps.text.failed || gather->edges.text.failed || gather->counts.text.failed;
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void job_histograms_get(Request *request) {
    const char *kind = request_query(request, "kind");
    Gather gather = {.layer = request_query(request, "layer"),
                     .kind = kind != NULL ? kind : "gradient"};
    JobRow row;
    if (gather.layer == NULL) {
        answer_problem(request, 400, "The query must name a \"layer\".");
        return;
    }
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    JsonOut *const arrays[] = {&gather.steps, &gather.edges, &gather.counts};
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++) {
        json_init(arrays[i]);
        json_begin_array(arrays[i], NULL);
    }
    text_init(&gather.csv);
    text_add(&gather.csv, "step,from,to,count\n");
    int error = histograms_each(request_services(request)->store, row.id, add_step, &gather);
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++)
        json_end_array(arrays[i]);
    if (error != OK)
        answer_error(request, error, NULL);
    else if (gather.any && !gather.known)
        answer_problem(request, 404, "The job has no histograms of a layer \"%s\".", gather.layer);
    else
        answer_gathered(request, &gather);
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++)
        json_finish(arrays[i]);
    text_finish(&gather.csv);
    job_row_finish(&row);
}

static const char *const kinds[] = {
#define X(kind) #kind,
    HISTOGRAM_KINDS(X)
#undef X
        NULL};
static const QueryDesc query[] = {
    {"layer", QUERY_TEXT, 0, 0, NULL, NULL, "The layer's name."},
    {"kind", QUERY_TEXT, 0, 0, NULL, kinds, "What is counted (gradient)."},
    {0},
};
static const char *const produces[] = {"application/json", "text/csv", NULL};
static const int errors[] = {400, 404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/histograms",
     .tag = "jobs",
     .summary = "How a layer's gradients, weights or activations are spread, step by step",
     .query = query,
     .status = 200,
     .produces = produces,
     .response_schema = "Histograms",
     .errors = errors,
     .handler = job_histograms_get},
};

const RouteGroup job_histograms_routes = {"job_histograms", NULL, routes, ARRAY_LENGTH(routes)};
