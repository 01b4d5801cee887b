#include "server/routes/job_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/routes/common.h"
#include "server/routes/job_answer.h"
#include "server/routes/job_findings.h"
#include "server/routes/sparkline.h"
#include "server/routes/wrapped.h"

enum { POINTS = 48, COLUMNS = 96, INDENT = 11, NAME_COLUMNS = 24 };

const char *const job_view_types[] = {"application/json", "text/plain", NULL};

void job_view_init(JobView *view, const Request *request) {
    const char *host = request_header(request, "Host");
    *view = (JobView){.text = strcmp(request_preferred_type(request), "text/plain") == 0,
                      .token = request_header(request, "Authorization") != NULL,
                      .language = request_language(request)};
    snprintf(view->host, sizeof view->host, "%s", host != NULL ? host : "127.0.0.1:8080");
}

const char *job_view_type(const JobView *view) {
    return view->text ? "text/plain; charset=utf-8" : "application/json";
}

static int parse(const char *text, Document **ret_document) {
    Issues issues;
    issues_init(&issues);
    int error = document_parse(text, strlen(text), NULL, &issues, ret_document);
    issues_finish(&issues);
    return error == ERR_INVALID || error == ERR_CONFLICT ? ERR_DAMAGED : error;
}

static void say(Text *out, const JobView *view, const char *name, const TextPlace *places) {
    text_say(out, view->language, "view", name, NULL, places);
}

// A line of its own.
static void say_title(Text *out, const JobView *view, const char *name) {
    text_add_char(out, '\n');
    say(out, view, name, NULL);
    text_add_char(out, '\n');
}

// ---- curves ----

// A number, or what stands for one that JSON cannot hold.
static double number_of(Value value) {
    const char *text = value_string(value);
    if (text == NULL)
        return value_number(value);
    return strcmp(text, "NaN") == 0 ? NAN : text[0] == '-' ? -INFINITY : INFINITY;
}

static void write_curve(Text *out, const char *name, Value series, bool by_log) {
    double numbers[2 * POINTS];
    size_t count = 0;
    VALUE_FOREACH(value, value_member(series, "value")) {
        if (count < ARRAY_LENGTH(numbers))
            numbers[count++] = number_of(value);
    }
    if (count == 0)
        return;
    text_add_format(out, "  %-*s ", NAME_COLUMNS, name);
    sparkline_write(out, numbers, count, by_log);
    text_add_format(out, "  %.4g → %.4g\n", numbers[0], numbers[count - 1]);
}

static int write_metrics(const JobView *view, Text *out, Store *store, const char *job) {
    static const struct {
        const char *name;
        bool by_log;
    } shown[] = {{"train_loss", true},     {"val_loss", true},     {"train_accuracy", false},
                 {"val_accuracy", false},  {"val_rmse", true},     {"val_perplexity", true},
                 {"learning_rate", false}, {"gradient_norm", true}};
    const SeriesQuery query = {.points = POINTS};
    Document *document = NULL;
    JsonOut json;
    json_init(&json);
    int error = series_write_metrics(store, job, &query, &json);
    if (error == OK)
        error = parse(text_string(&json.text), &document);
    if (error == OK) {
        Value series = value_member(document_root(document), "series");
        if (value_kind(value_child(series)) != VALUE_MISSING)
            say_title(out, view, "curves");
        for (size_t i = 0; i < ARRAY_LENGTH(shown); i++)
            write_curve(out, shown[i].name, value_member(series, shown[i].name), shown[i].by_log);
    }
    document_destroy(document);
    json_finish(&json);
    return error;
}

static int write_gradients(const JobView *view, Text *out, Store *store, const char *job) {
    const SeriesQuery query = {.names = "gradient_norm", .points = POINTS};
    Document *document = NULL;
    JsonOut json;
    json_init(&json);
    int error = series_write_gradients(store, job, &query, &json);
    if (error == OK)
        error = parse(text_string(&json.text), &document);
    if (error == OK) {
        Value layers = value_member(document_root(document), "layers");
        if (value_length(layers) > 0)
            say_title(out, view, "gradients");
        VALUE_FOREACH(layer, layers) {
            const char *name = value_string(value_member(layer, "name"));
            write_curve(out, name != NULL ? name : "?",
                        value_member(value_member(layer, "series"), "gradient_norm"), true);
        }
    }
    document_destroy(document);
    json_finish(&json);
    return error;
}

// ---- findings ----

static void write_evidence(Text *out, Value evidence) {
    Text line;
    text_init(&line);
    VALUE_FOREACH(item, evidence) {
        const char *word = value_string(item);
        text_add_format(&line, "%s%s ", line.length > 0 ? ", " : "", value_key(item));
        if (word != NULL)
            text_add(&line, word);
        else
            text_add_format(&line, "%.4g", value_number(item));
    }
    if (line.length > 0)
        wrapped_write(out, text_string(&line), INDENT, COLUMNS);
    text_finish(&line);
}

static void write_finding(const JobView *view, Text *out, Value finding) {
    const char *code = value_string(value_member(finding, "code"));
    const char *severity = value_string(value_member(finding, "severity"));
    const char *layer = value_string(value_member(finding, "layer"));
    const char *explanation = value_string(value_member(finding, "explanation"));
    double step = value_number(value_member(finding, "first_step"));
    text_add_format(out, "  %-8s %s", severity != NULL ? severity : "", code != NULL ? code : "");
    if (layer != NULL)
        say(out, view, "layer", (TextPlace[]){{"layer", layer, 0}, {0}});
    if (step > 0)
        say(out, view, "since", (TextPlace[]){{"step", NULL, step}, {0}});
    text_add_char(out, '\n');
    if (explanation != NULL && explanation[0] != '\0')
        wrapped_write(out, explanation, INDENT, COLUMNS);
    write_evidence(out, value_member(finding, "evidence"));
    VALUE_FOREACH(remedy, value_member(finding, "remedies")) {
        const char *name = value_string(value_member(remedy, "code"));
        const char *title = value_string(value_member(remedy, "title"));
        text_add_format(out, "           → %s: %s\n", name != NULL ? name : "",
                        title != NULL ? title : "");
    }
}

// The first remedy that a rerun can apply; NULL.
static const char *first_remedy(Value findings) {
    VALUE_FOREACH(finding, findings) {
        VALUE_FOREACH(remedy, value_member(finding, "remedies")) {
            const char *code = value_string(value_member(remedy, "code"));
            if (code != NULL && value_kind(value_member(remedy, "patch")) == VALUE_OBJECT)
                return code;
        }
    }
    return NULL;
}

// ---- the next command ----

static void write_command(Text *out, const JobView *view, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void write_command(Text *out, const JobView *view, const char *format, ...) {
    va_list list;
    text_add_format(out, "  curl %s", view->token ? "-H \"Authorization: Bearer $TOKEN\" " : "");
    va_start(list, format);
    text_add_format_list(out, format, list);
    va_end(list);
    text_add_char(out, '\n');
}

static void write_next(Text *out, const JobView *view, const JobRow *row, Value findings) {
    static const char json[] = "-H 'Content-Type: application/json'";
    const char *remedy = first_remedy(findings), *host = view->host;
    say_title(out, view, "next");
    if (strcmp(row->status, "paused") == 0) {
        write_command(out, view, "-X POST %s/v1/jobs/%s/resume", host, row->id);
        return;
    }
    if (!job_ended(row)) {
        write_command(out, view, "-H 'Accept: text/plain' '%s/v1/jobs/%s?wait=60'", host, row->id);
        return;
    }
    if (row->parent[0] != '\0')
        write_command(out, view, "%s/v1/jobs/%s/comparison", host, row->id);
    if (remedy != NULL)
        write_command(out, view,
                      "%s/v1/jobs/%s/rerun %s -d '{\"remedies\": [\"%s\"], \"seeds\": 5}'", host,
                      row->id, json, remedy);
    else if (strcmp(row->status, "succeeded") != 0)
        write_command(out, view, "%s/v1/jobs/%s/rerun %s -d '{\"patch\": {}}'", host, row->id,
                      json);
    if (row->model[0] != '\0')
        write_command(out, view, "%s/v1/models/%s", host, row->model);
}

void job_view_write_findings(const JobView *view, const JobRow *row, Value findings, Text *out) {
    say_title(out, view, value_length(findings) > 0 ? "findings" : "no_findings");
    VALUE_FOREACH(finding, findings)
    write_finding(view, out, finding);
    write_next(out, view, row, findings);
}

void job_view_write_checklist(const JobView *view, Value checklist, Text *out) {
    bool any = false;
    VALUE_FOREACH(item, checklist) {
        const char *state = value_string(value_member(item, "state"));
        const char *title = value_string(value_member(item, "title"));
        const char *note = value_string(value_member(item, "note"));
        if (state == NULL || strcmp(state, "attention") != 0)
            continue;
        if (!any)
            say_title(out, view, "checklist");
        text_add_format(out, "  %s\n", title != NULL ? title : "");
        if (note != NULL)
            wrapped_write(out, note, INDENT, COLUMNS);
        any = true;
    }
}

// ---- the job ----

static void write_line(const JobView *view, Text *out, const char *label, const char *text) {
    if (text == NULL)
        return;
    text_add(out, "  ");
    say(out, view, label, NULL);
    text_add_format(out, ": %s\n", text);
}

static void write_error(const JobView *view, Text *out, const char *json) {
    Document *document;
    if (json == NULL || parse(json, &document) != OK)
        return;
    write_line(view, out, "error", value_string(value_member(document_root(document), "detail")));
    document_destroy(document);
}

static void write_result(const JobView *view, Text *out, const char *json) {
    Document *document;
    Text text;
    if (json == NULL || parse(json, &document) != OK)
        return;
    text_init(&text);
    result_explain(&text, document_root(document), view->language);
    write_line(view, out, "result", text_string(&text));
    out->failed |= text.failed;
    text_finish(&text);
    document_destroy(document);
}

static void write_progress(const JobView *view, Text *out, const JobRow *row) {
    Document *document;
    if (row->progress == NULL || parse(row->progress, &document) != OK)
        return;
    Value progress = document_root(document);
    static const char *const names[] = {
        "epoch", "epochs", "step", "steps", "samples_per_second", "eta_seconds"};
    TextPlace places[ARRAY_LENGTH(names) + 1] = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        places[i] = (TextPlace){names[i], NULL, value_number(value_member(progress, names[i]))};
    text_add(out, "  ");
    say(out, view, job_ended(row) ? "progress" : "progress_to_go", places);
    text_add_char(out, '\n');
    document_destroy(document);
}

static int write_text(const JobView *view, Store *store, const JobRow *row, Text *out) {
    text_add_format(out, "%s  %s  %s\n", row->id, row->name, row->status);
    write_progress(view, out, row);
    if (row->parent[0] != '\0') {
        text_add(out, "  ");
        say(out, view, "parent", (TextPlace[]){{"job", row->parent, 0}, {0}});
        text_add_char(out, '\n');
    }
    write_error(view, out, row->error);
    write_result(view, out, row->result);
    int error = write_metrics(view, out, store, row->id);
    if (error == OK)
        error = write_gradients(view, out, store, row->id);
    JobFindings findings = {0};
    if (error == OK)
        error = job_findings_read(store, row, view->language, &findings);
    if (error != OK)
        return error;
    job_view_write_findings(view, row, job_findings_list(&findings), out);
    job_findings_finish(&findings);
    return OK;
}

int job_view_write(const JobView *view, Store *store, const JobRow *row, Text *out) {
    if (view->text) {
        int error = write_text(view, store, row, out);
        return error == OK && out->failed ? ERR_NO_MEMORY : error;
    }
    JsonOut json = {.text = *out};
    job_write(&json, row, view->language);
    *out = json.text;
    return out->failed ? ERR_NO_MEMORY : OK;
}
