// Datasets: taken in, listed, shown with their rows, deleted.
#include <string.h>
#include <unistd.h>
#include "core/base/error.h"
#include "server/data/intake.h"
#include "server/data/rows.h"
#include "server/routes/common.h"
#include "server/routes/idempotency.h"
#include "server/routes/language.h"

static void write_findings(JsonOut *out, const char *findings, Language language) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    if (findings == NULL ||
        document_parse(findings, strlen(findings), NULL, &issues, &document) != OK)
        json_raw(out, "findings", findings);
    else
        findings_tell(out, "findings", document_root(document), language);
    document_destroy(document);
    issues_finish(&issues);
}

static void dataset_write(JsonOut *out, const DatasetRow *row, bool whole, Language language) {
    char created_at[TIME_TEXT];
    time_text(row->created_at, created_at);
    json_begin_object(out, NULL);
    json_string(out, "id", row->id);
    json_string(out, "name", row->name);
    json_string(out, "task", row->task);
    json_integer(out, "rows", row->rows);
    json_raw(out, "input_shape", row->input_shape);
    json_raw(out, "target_shape", row->target_shape);
    json_raw(out, "classes", row->classes);
    json_integer(out, "bytes", row->bytes);
    json_string(out, "sha256", row->sha256);
    json_string(out, "created_at", created_at);
    if (whole) // a profile has an entry for each feature: too much for a list
        json_raw(out, "profile", row->profile);
    write_findings(out, row->findings, language);
    json_end_object(out);
}

static void answer_dataset(Request *request, int status, const char *id) {
    DatasetRow row;
    int error = id_valid("ds_", id) ? datasets_get(request_services(request)->store, id, &row)
                                    : ERR_NOT_FOUND;
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such dataset." : NULL);
        return;
    }
    JsonOut out;
    Language language = request_language(request);
    json_init(&out);
    dataset_write(&out, &row, true, language);
    answer_language(request, language);
    answer_json(request, status, &out);
    json_finish(&out);
    dataset_row_finish(&row);
}

// Reads the body in the form that its content type says.
static int body_intake(Request *request, Issues *issues, DatasetRow *ret_row) {
    const char *type = request_content_type(request);
    int directory = store_directory(request_services(request)->store);
    Source source = request_source(request);
    IntakeWish wish = {.name = request_query(request, "name"),
                       .task = request_query(request, "task"),
                       .target = request_query(request, "target")};
    if (strcmp(type, "text/csv") == 0)
        return intake_csv(directory, &source, &wish, issues, ret_row);
    if (strcmp(type, "application/x-ndjson") == 0)
        return intake_ndjson(directory, &source, &wish, issues, ret_row);
    if (strcmp(type, "multipart/form-data") == 0)
        return intake_multipart(directory, &source, request_header(request, "Content-Type"),
                                request_body_limit(request), issues, ret_row);
    Document *document = body_parse(request, intake_lifted_top, true);
    if (document == NULL)
        return ERR_INVALID;
    int error = intake_json(directory, document, document_root(document), "", issues, ret_row);
    document_destroy(document);
    return error;
}

static void datasets_post(Request *request) {
    const Services *services = request_services(request);
    Idempotency idempotency;
    if (!idempotency_begin(request, &idempotency, answer_dataset))
        return;
    DatasetRow row = {0};
    Issues issues;
    issues_init(&issues);
    int error = body_intake(request, &issues, &row);
    if (error == OK) {
        error = datasets_insert_keyed(services->store, &row,
                                      idempotency_use(&idempotency, 201, "/v1/datasets", row.id));
        if (error != OK) {
            char path[PATH_TEXT];
            dataset_file(row.id, path);
            unlinkat(store_directory(services->store), path, 0);
        }
    }
    if (error == OK) {
        JsonOut out;
        Language language = request_language(request);
        json_init(&out);
        dataset_write(&out, &row, true, language);
        idempotency_end(&idempotency, &out.text);
        answer_header(request, "Location", "/v1/datasets/%s", row.id);
        answer_language(request, language);
        answer_json(request, 201, &out);
        json_finish(&out);
    } else {
        idempotency_release(&idempotency);
        // After a body that is not JSON this is the second answer, and does not count.
        int status = error == ERR_DAMAGED ? 400 : error == ERR_TOO_LARGE ? 413 : 422;
        if (error == ERR_INVALID || (status != 422 && issues_any(&issues)))
            answer_issues(request, status, &issues);
        else
            answer_error(request, error, NULL);
    }
    dataset_row_finish(&row);
    issues_finish(&issues);
}

typedef struct DatasetList {
    List list;
    Language language;
} DatasetList;

static int list_dataset(void *context, const DatasetRow *row) {
    DatasetList *datasets = context;
    if (!list_room(&datasets->list, row->id))
        return 1;
    dataset_write(&datasets->list.out, row, false, datasets->language);
    return 0;
}

static void datasets_get_all(Request *request) {
    Page page;
    DatasetList datasets = {.language = request_language(request)};
    if (request_page(request, "ds_", &page) != OK)
        return;
    list_begin(&datasets.list, page.limit);
    int error = datasets_list(request_services(request)->store, page.cursor, page.limit + 1,
                              list_dataset, &datasets);
    answer_language(request, datasets.language);
    answer_list(request, &datasets.list, error);
}

static void dataset_get(Request *request) {
    answer_dataset(request, 200, request_param(request, "id"));
}

static void dataset_get_rows(Request *request) {
    const Services *services = request_services(request);
    const char *id = request_param(request, "id");
    DatasetRow row;
    int error = id_valid("ds_", id) ? datasets_get(services->store, id, &row) : ERR_NOT_FOUND;
    if (error != OK) {
        answer_error(request, error, error == ERR_NOT_FOUND ? "There is no such dataset." : NULL);
        return;
    }
    char path[PATH_TEXT];
    dataset_file(row.id, path);
    dataset_row_finish(&row);
    Dataset *dataset;
    error = dataset_open(store_directory(services->store), path, false, &dataset);
    if (error != OK) {
        answer_error(request, error, NULL);
        return;
    }
    JsonOut out;
    json_init(&out);
    out.text.limit = 256 << 20; // 500 rows of the largest kind
    json_begin_object(&out, NULL);
    error = rows_write(dataset, request_query_integer(request, "offset", 0),
                       request_query_integer(request, "limit", 50), &out);
    json_integer(&out, "rows", dataset->rows);
    json_end_object(&out);
    if (error == OK)
        answer_json(request, 200, &out);
    else
        answer_error(request, error, NULL);
    json_finish(&out);
    dataset_close(dataset);
}

static void dataset_delete(Request *request) {
    const char *id = request_param(request, "id");
    int error =
        id_valid("ds_", id) ? datasets_delete(request_services(request)->store, id) : ERR_NOT_FOUND;
    if (error == OK)
        answer_empty(request, 204);
    else
        answer_error(request, error,
                     error == ERR_NOT_FOUND  ? "There is no such dataset."
                     : error == ERR_CONFLICT ? "A job that has not ended uses this dataset."
                                             : NULL);
}

static const char *const accepts_datasets[] = {"application/json", "application/x-ndjson",
                                               "text/csv", "multipart/form-data", NULL};
static const char *const schemas[] = {
    "application/x-ndjson", "DatasetLines", "text/csv", "DatasetTable",
    "multipart/form-data",  "DatasetParts", NULL};
static const char *const tasks[] = {"classification", "regression", NULL};
static const QueryDesc post_query[] = {
    {"name", QUERY_TEXT, 0, 0, NULL, NULL, "A name, for CSV and lines of JSON."},
    {"task", QUERY_TEXT, 0, 0, NULL, tasks, "For CSV and lines of JSON (inferred)."},
    {"target", QUERY_TEXT, 0, 0, NULL, NULL,
     "CSV: the columns to predict, comma-separated (the last one)."},
    {0},
};
static const QueryDesc list_query[] = {PAGE_QUERIES, {0}};
static const QueryDesc rows_query[] = {
    {"offset", QUERY_INTEGER, 0, (int64_t)1 << 53, NULL, NULL, "The first row (0)."},
    {"limit", QUERY_INTEGER, 1, 500, NULL, NULL, "At most so many rows (50)."},
    {0},
};
static const int post_errors[] = {400, 409, 413, 415, 422, 0};
static const int one_errors[] = {404, 0};
static const int delete_errors[] = {404, 409, 0};

static const RouteDesc routes[] = {
    {.method = "POST",
     .path = "/v1/datasets",
     .tag = "datasets",
     .summary = "Take in a dataset",
     .query = post_query,
     .accepts = accepts_datasets,
     .request_schema = "DatasetInput",
     .other_schemas = schemas,
     .status = 201,
     .response_schema = "Dataset",
     .errors = post_errors,
     .flags = ROUTE_CREATES,
     .handler = datasets_post},
    {.method = "GET",
     .path = "/v1/datasets",
     .tag = "datasets",
     .summary = "Datasets, newest first",
     .query = list_query,
     .status = 200,
     .response_schema = "DatasetList",
     .handler = datasets_get_all},
    {.method = "GET",
     .path = "/v1/datasets/{id}",
     .tag = "datasets",
     .summary = "A dataset with its profile",
     .status = 200,
     .response_schema = "Dataset",
     .errors = one_errors,
     .handler = dataset_get},
    {.method = "GET",
     .path = "/v1/datasets/{id}/rows",
     .tag = "datasets",
     .summary = "Some of its rows",
     .query = rows_query,
     .status = 200,
     .response_schema = "RowList",
     .errors = one_errors,
     .handler = dataset_get_rows},
    {.method = "DELETE",
     .path = "/v1/datasets/{id}",
     .tag = "datasets",
     .summary = "Forget a dataset",
     .status = 204,
     .errors = delete_errors,
     .handler = dataset_delete},
};

const RouteGroup datasets_routes = {"datasets", "Data to train on", routes, ARRAY_LENGTH(routes)};
