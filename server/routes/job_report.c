// A run as one HTML file that needs nothing else: what was recorded of it as JSON, and the page's own report.js and
// report.css, which draw it. It comes as an attachment: opened from a disk it runs without the service's policy, and never
// as a page of the service.
#include <string.h>
#include "core/base/error.h"
#include "server/http/page.h"
#include "server/http/page_files.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_diagnosis.h"

enum { POINTS = 1000, LAYER_POINTS = 250 };

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

static void add_part(Text *html, const char *separator, const char *key, const JsonOut *part) {
    text_add_format(html, "%s\"%s\":", separator, key);
    add_escaped(html, &part->text);
}

static int report_write(Store *store, const JobRow *row, Language language, Text *html) {
    JsonOut job, metrics, gradients, diagnosis;
    json_init(&job);
    json_init(&metrics);
    json_init(&gradients);
    json_init(&diagnosis);
    SeriesQuery of_net = {.points = POINTS};
    SeriesQuery of_layers = {.points = LAYER_POINTS};
    job_write(&job, row, language);
    int error = series_write_metrics(store, row->id, &of_net, &metrics);
    if (error == OK)
        error = series_write_gradients(store, row->id, &of_layers, &gradients);
    if (error == OK)
        error = diagnosis_write(store, row, language, &diagnosis);
    if (error == OK) {
        text_add_format(html,
                        "<!doctype html>\n<html lang=\"%s\">\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                        "<title>backpropd</title>\n<style>\n",
                        language_tag(language));
        add_file(html, "/report/report.css");
        text_add(html, "</style>\n<body>\n<main></main>\n<script type=\"application/json\" "
                       "id=\"run\">\n");
        add_part(html, "{", "job", &job);
        add_part(html, ",", "metrics", &metrics);
        add_part(html, ",", "gradients", &gradients);
        add_part(html, ",", "diagnosis", &diagnosis);
        text_add(html, "}\n</script>\n<script type=\"module\">\n");
        if (language == LANGUAGE_JAPANESE)
            add_file(html, "/languages/ja.js");
        else
            text_add(html, "const japanese = {};\n");
        add_file(html, "/report/report.js");
        text_add(html, "</script>\n</body>\n</html>\n");
        error = html->failed || diagnosis.text.failed ? ERR_NO_MEMORY : OK;
    }
    json_finish(&job);
    json_finish(&metrics);
    json_finish(&gradients);
    json_finish(&diagnosis);
    return error;
}

static void job_report_get(Request *request) {
    JobRow row;
    Text html;
    if (job_find(request, request_param(request, "id"), &row) != OK)
        return;
    text_init(&html);
    Language language = request_language(request);
    int error = report_write(request_services(request)->store, &row, language, &html);
    if (error == OK) {
        answer_language(request, language);
        answer_header(request, "Content-Disposition", "attachment; filename=\"%s.html\"", row.id);
        answer_text(request, 200, "text/html; charset=utf-8", &html);
    } else {
        answer_error(request, error, NULL);
    }
    text_finish(&html);
    job_row_finish(&row);
}

static const char *const languages[] = {"en", "ja", NULL};
static const QueryDesc query[] = {
    {"lang", QUERY_TEXT, 0, 0, NULL, languages,
     "The report's language; by default Accept-Language's."},
    {0},
};
static const char *const produces_html[] = {"text/html", NULL};
static const int errors[] = {404, 0};

static const RouteDesc routes[] = {
    {.method = "GET",
     .path = "/v1/jobs/{id}/report",
     .tag = "jobs",
     .summary = "The run as one HTML file that needs nothing else",
     .query = query,
     .status = 200,
     .produces = produces_html,
     .errors = errors,
     .handler = job_report_get},
};

const RouteGroup job_report_routes = {"job_report", NULL, routes, ARRAY_LENGTH(routes)};
