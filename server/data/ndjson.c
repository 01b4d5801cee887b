// A line a row: {"input": …, "target": …}. Each line is a document of its own, checked as strictly
// as any; its numbers go from the line into the draft. Pointers count the rows from 0 as in an
// array; the details say the line.
#include <string.h>
#include "core/base/descriptor.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "server/data/draft.h"
#include "server/data/intake.h"
#include "server/json/span.h"

typedef struct Line {
    Draft *draft;
    Issues *issues;
    Text key;
    Span span;     // the line
    bool mapped;   // its text
    int64_t row;   // from 0
    size_t number; // from 1
} Line;

// Says what the scanner said about a line, at the row.
static void pass_on(Line *line, const Issues *found) {
    Place place = {.before = "", .row = line->row, .after = "", .line = line->number};
    for (size_t i = 0; i < found->count; i++) {
        Place inside = place;
        inside.after = found->items[i].pointer;
        place_issue(&inside, NULL, 0, line->issues, "%s", found->items[i].detail);
    }
    line->issues->failed |= found->failed;
}

// OK also where the line is no JSON, which is an issue then.
static int check_line(Line *line, bool *ret_valid) {
    static const char *const lifted[] = {"/input", "/target", NULL};
    Issues found;
    issues_init(&found);
    Document *document = NULL;
    Source source = {line->span.at, (size_t)(line->span.end - line->span.at), line->mapped};
    int result = document_parse_source(&source, lifted, &found, &document);
    *ret_valid = result == OK && value_kind(document_root(document)) == VALUE_OBJECT;
    if (result == OK && !*ret_valid) {
        issues_add_at(&found, "", "must be an object with \"input\" and \"target\"");
    }
    pass_on(line, &found);
    document_destroy(document);
    issues_finish(&found);
    return result == ERR_NO_MEMORY ? result : OK;
}

static int take_line(Line *line) {
    static const char *const keys[] = {"input", "target"};
    bool valid;
    int result = check_line(line, &valid);
    if (result != OK || !valid) {
        return result;
    }
    bool has_input = false;
    bool has_target = false;
    Place place = {.before = "", .row = line->row, .line = line->number};
    Span *span = &line->span;
    while (span_kind(span) != VALUE_OBJECT) {
        span->at++; // blanks before the object
    }
    span_enter(span);
    while (result == OK && span_next(span)) {
        span_key(span, &line->key);
        const char *key = text_string(&line->key);
        if (line->key.failed) {
            result = ERR_NO_MEMORY;
        } else if (strcmp(key, "input") == 0) {
            has_input = true;
            place.after = "/input";
            result = draft_take_row(line->draft, span, &place);
        } else if (strcmp(key, "target") == 0) {
            has_target = true;
            place.after = "/target";
            result = targets_take(&line->draft->targets, span, &place, line->issues);
        } else {
            const char *nearest = nearest_name(key, keys, ARRAY_LENGTH(keys));
            place.after = "";
            place_issue(&place, NULL, 0, line->issues,
                        "unknown key \"%s\"; a row has \"input\" and \"target\"%s%s", key,
                        nearest != NULL ? ", perhaps it is meant to be " : "",
                        nearest != NULL ? nearest : "");
            span_skip(span);
        }
    }
    if (result == OK && !(has_input && has_target)) {
        place.after = has_input ? "/target" : "/input";
        place_issue(&place, NULL, 0, line->issues, "is required");
    }
    return result;
}

static bool is_blank(Span span) {
    for (; span.at < span.end; span.at++) {
        if (strchr(" \t\r", *span.at) == NULL) {
            return false;
        }
        source_pass(&span.passed, span.at);
    }
    return true;
}

// The line that begins at the span, which goes on behind it.
static Span cut_line(Span *rest) {
    enum { PIECE = 1 << 20 };
    Span line = *rest;
    const char *feed = NULL;
    while (feed == NULL && rest->at < rest->end) {
        size_t left = (size_t)(rest->end - rest->at), piece = left < PIECE ? left : PIECE;
        feed = memchr(rest->at, '\n', piece);
        rest->at = feed != NULL ? feed : rest->at + piece;
        source_pass(&rest->passed, rest->at);
    }
    line.end = rest->at;
    rest->at += feed != NULL;
    return line;
}

static int take_lines(Line *line, const Source *source) {
    Span rest = {
        .at = source->text, .end = source->text + source->length, .passed = source_start(source)};
    if (source->length >= 3 && memcmp(rest.at, "\xEF\xBB\xBF", 3) == 0) {
        rest.at += 3; // a byte order mark, which editors leave
    }
    int result = OK;
    while (rest.at < rest.end && result == OK) {
        line->span = cut_line(&rest);
        line->number++;
        if (!is_blank(line->span)) {
            result = take_line(line);
            line->row++;
        }
    }
    if (result == OK && line->row == 0) {
        issues_add_at(line->issues, "",
                      "there is no row: each line is {\"input\": …, \"target\": …}");
    }
    return result;
}

int intake_ndjson(int directory, const Source *source, const IntakeWish *wish, Issues *issues,
                  DatasetRow *ret_row) {
    Draft draft;
    draft_init(&draft, directory, issues);
    Line line = {.draft = &draft, .issues = issues, .mapped = source->mapped};
    text_init(&line.key);
    int result = take_lines(&line, source);
    if (result == OK) {
        TargetsWish targets = {.task = wish->task, .pointer = "", .task_pointer = ""};
        result = draft_seal(&draft, wish->name, &targets, ret_row);
    }
    text_finish(&line.key);
    draft_finish(&draft);
    return result;
}
