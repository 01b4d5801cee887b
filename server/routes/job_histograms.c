// How the numbers of a layer were spread, at some twenty steps of the run.
//
//   {"steps": [1, 51, …], "edges": [[33 numbers], …], "counts": [[32 numbers], …]}
#include <string.h>
#include "core/base/error.h"
#include "core/diagnose/histogram.h"
#include "server/json/document.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

typedef struct Gather {
    const char *layer, *kind;
    JsonOut steps, edges, counts;
    bool known; // some step has the layer
} Gather;

static void write_edges(JsonOut *out, double least, double greatest) {
    json_begin_array(out, NULL);
    for (int i = 0; i <= HISTOGRAM_BINS; i++)
        json_float(out, NULL, (float)(least + (greatest - least) * i / HISTOGRAM_BINS));
    json_end_array(out);
}

static int add_step(void *context, int64_t step, const char *json) {
    Gather *gather = context;
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    int error = document_parse(json, strlen(json), NULL, &issues, &document);
    issues_finish(&issues);
    if (error != OK)
        return error;
    Value layer = value_member(document_root(document), gather->layer);
    Value histogram = value_member(layer, gather->kind);
    gather->known |= value_kind(layer) == VALUE_OBJECT;
    if (value_kind(histogram) == VALUE_OBJECT) {
        ValueWriter writer = json_writer(&gather->counts);
        json_integer(&gather->steps, NULL, step);
        write_edges(&gather->edges, value_number(value_member(histogram, "least")),
                    value_number(value_member(histogram, "greatest")));
        write_value(&writer, NULL, value_member(histogram, "counts"));
    }
    document_destroy(document);
    return OK;
}

static void answer_gathered(Request *request, const Gather *gather) {
    JsonOut out;
    json_init(&out);
    json_begin_object(&out, NULL);
    json_raw(&out, "steps", text_string(&gather->steps.text));
    json_raw(&out, "edges", text_string(&gather->edges.text));
    json_raw(&out, "counts", text_string(&gather->counts.text));
    json_end_object(&out);
    answer_json(request, 200, &out);
    json_finish(&out);
}

static void job_histograms_get(Request *request) {
    JobRow row;
    const char *kind = request_query(request, "kind");
    Gather gather = {.layer = request_query(request, "layer"),
                     .kind = kind != NULL ? kind : "gradient"};
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
    int error = histograms_each(request_services(request)->store, row.id, add_step, &gather);
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++)
        json_end_array(arrays[i]);
    if (error != OK)
        answer_error(request, error, NULL);
    else if (!gather.known && row.started_at != 0)
        answer_problem(request, 404, "The job has no histograms of a layer \"%s\".", gather.layer);
    else
        answer_gathered(request, &gather);
    for (size_t i = 0; i < ARRAY_LENGTH(arrays); i++)
        json_finish(arrays[i]);
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
static const int errors[] = {400, 404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/histograms",
     .tag = "jobs",
     .summary = "How a layer's gradients, weights or activations are spread",
     .query = query,
     .status = 200,
     .response_schema = "Histograms",
     .errors = errors,
     .handler = job_histograms_get},
};

const RouteGroup job_histograms_routes = {"job_histograms", NULL, routes, ARRAY_LENGTH(routes)};
