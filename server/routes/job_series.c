// What a job has recorded: metrics of the whole net, gradient statistics by layer; as JSON or CSV.
#include <string.h>
#include "core/base/error.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

typedef struct SeriesForms { // the same as JSON and as CSV
    int (*json)(Store *store, const char *job, const SeriesQuery *query, JsonOut *out);
    int (*csv)(Store *store, const char *job, const SeriesQuery *query, Text *out);
} SeriesForms;

static int64_t query_points(const Request *request, int64_t fallback) {
    const char *points = request_query(request, "points");
    return points != NULL && strcmp(points, "all") == 0
               ? 0
               : request_query_integer(request, "points", fallback);
}

static void answer_series_error(Request *request, int error) {
    if (error == ERR_INVALID)
        answer_problem(request, 400, "The query's \"series\" names one that there is not.");
    else
        answer_error(request, error, NULL);
}

static void answer_series(Request *request, const SeriesForms *forms, int64_t points) {
    Store *store = request_services(request)->store;
    JobRow row;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    SeriesQuery query = {request_query(request, "series"), query_points(request, points),
                         request_query_integer(request, "from_step", 0),
                         request_query_boolean(request, "peaks"),
                         request_query_boolean(request, "single")};
    JsonOut out;
    json_init(&out);
    bool csv = strcmp(request_preferred_type(request), "text/csv") == 0;
    int error = csv ? forms->csv(store, row.id, &query, &out.text)
                    : forms->json(store, row.id, &query, &out);
    answer_header(request, "Vary", "Accept");
    answer_newest_event(request, &row);
    if (error != OK)
        answer_series_error(request, error);
    else
        answer_text(request, 200, csv ? "text/csv; charset=utf-8" : "application/json", &out.text);
    json_finish(&out);
    job_row_finish(&row);
}

static void metrics_get(Request *request) {
    static const SeriesForms forms = {series_write_metrics, series_write_metrics_csv};
    answer_series(request, &forms, 1000);
}

static void gradients_get(Request *request) {
    static const SeriesForms forms = {series_write_gradients, series_write_gradients_csv};
    answer_series(request, &forms, 500);
}

static const char *const produces_series[] = {"application/json", "text/csv", NULL};
static const QueryDesc series_query[] = {
    {"series", QUERY_TEXT, 0, 0, NULL, NULL, "Names, comma-separated (all)."},
    {"points", QUERY_INTEGER, 1, 1000000, "all", NULL,
     "Thin each series to so many buckets; all: every step."},
    {"from_step", QUERY_INTEGER, 0, (int64_t)1 << 53, NULL, NULL,
     "Leave out what is before this step."},
    {"peaks", QUERY_BOOLEAN, 0, 0, NULL, NULL,
     "In JSON, of each bucket the greatest value alone, as `value`."},
    {"single", QUERY_BOOLEAN, 0, 0, NULL, NULL,
     "In JSON, numbers to the precision of a 32-bit float: shorter, and enough for a picture."},
    {0},
};
static const int series_errors[] = {400, 404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/metrics",
     .tag = "jobs",
     .summary = "Series of the whole net",
     .query = series_query,
     .status = 200,
     .produces = produces_series,
     .response_schema = "Metrics",
     .errors = series_errors,
     .handler = metrics_get},
    {.method = "GET",
     .path = "/v1/jobs/{id}/gradients",
     .tag = "jobs",
     .summary = "Series of each layer",
     .query = series_query,
     .status = 200,
     .produces = produces_series,
     .response_schema = "Gradients",
     .errors = series_errors,
     .handler = gradients_get},
};

const RouteGroup job_series_routes = {"job_series", NULL, routes, ARRAY_LENGTH(routes)};
