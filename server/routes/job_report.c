// A run as one HTML file that needs nothing else: what was recorded of it as JSON, and the page's own report.js and
// report.css, which draw it. It comes as an attachment: opened from a disk it runs without the service's policy, and never
// as a page of the service.
#include <string.h>
#include "core/base/error.h"
#include "server/http/page.h"
#include "server/http/page_files.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"

enum { POINTS = 1000, LAYER_POINTS = 250, FINDINGS_MAX = 1000 };

// JSON inside a script element: no "</script" may stand in it.
static void add_escaped(Text *html, const Text *json) {
    const char *from = text_string(json);
    for (const char *at = strchr(from, '<'); at != NULL; at = strchr(from, '<')) {
        text_add_bytes(html, from, (size_t)(at - from));
        text_add(html, "\\u003c");
        from = at + 1;
    }
    text_add(html, from);
}

static void add_file(Text *html, const char *path) {
    const PageFile *file = page_find(path);
    if (file != NULL)
        text_add_bytes(html, (const char *)file->data, file->length);
}

static int add_finding(void *context, const Record *record) {
    Text *findings = context;
    if (findings->length > 0)
        text_add(findings, ",");
    text_add_bytes(findings, record->body, record->length); // JSON already
    return 0;
}

static void add_part(Text *html, const char *key, const JsonOut *part) {
    text_add_format(html, ",\"%s\":", key);
    add_escaped(html, &part->text);
}

static int report_write(Store *store, const JobRow *row, Text *html) {
    JsonOut job, metrics, gradients;
    Text findings;
    json_init(&job);
    json_init(&metrics);
    json_init(&gradients);
    text_init(&findings);
    SeriesQuery of_net = {NULL, POINTS, 0};
    SeriesQuery of_layers = {NULL, LAYER_POINTS, 0};
    job_write(&job, row);
    int error = series_write_metrics(store, row->id, &of_net, &metrics);
    if (error == OK)
        error = series_write_gradients(store, row->id, &of_layers, &gradients);
    if (error == OK)
        error = records_since(store, row->id, "finding", 0, FINDINGS_MAX, add_finding, &findings);
    if (error == OK) {
        text_add(html, "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<title>backpropd</title>\n<style>\n");
        add_file(html, "/report/report.css");
        text_add(html, "</style>\n<body>\n<main></main>\n<script type=\"application/json\" "
                       "id=\"run\">\n{\"findings\":[");
        add_escaped(html, &findings);
        text_add(html, "]");
        add_part(html, "job", &job);
        add_part(html, "metrics", &metrics);
        add_part(html, "gradients", &gradients);
        text_add(html, "}\n</script>\n<script type=\"module\">\n");
        add_file(html, "/report/report.js");
        text_add(html, "</script>\n</body>\n</html>\n");
        error = html->failed || findings.failed ? ERR_NO_MEMORY : OK;
    }
    json_finish(&job);
    json_finish(&metrics);
    json_finish(&gradients);
    text_finish(&findings);
    return error;
}

static void job_report_get(Request *request) {
    JobRow row;
    Text html;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    text_init(&html);
    int error = report_write(request_services(request)->store, &row, &html);
    if (error == OK) {
        answer_header(request, "Content-Disposition", "attachment; filename=\"%s.html\"", row.id);
        answer_text(request, 200, "text/html; charset=utf-8", &html);
    } else {
        answer_error(request, error, NULL);
    }
    text_finish(&html);
    job_row_finish(&row);
}

static const char *const produces_html[] = {"text/html", NULL};
static const int errors[] = {404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/report",
     .tag = "jobs",
     .summary = "The run as one HTML file that needs nothing else",
     .status = 200,
     .produces = produces_html,
     .errors = errors,
     .handler = job_report_get},
};

const RouteGroup job_report_routes = {"job_report", NULL, routes, ARRAY_LENGTH(routes)};
