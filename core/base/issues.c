// Collects issues; a pointer is written from the chain of path frames, root first.
#include "core/base/issues.h"
#include <stdarg.h>
#include "core/base/memory.h"
#include "core/base/text.h"

void issues_init(Issues *issues) {
    *issues = (Issues){0};
}

void issues_finish(Issues *issues) {
    for (size_t i = 0; i < issues->count; i++) {
        memory_free(issues->items[i].pointer);
        memory_free(issues->items[i].detail);
    }
    memory_free(issues->items);
    issues_init(issues);
}

// "/key" per frame, '~' and '/' inside a key escaped as RFC 6901 asks. As deep as the document is
// nested, which its reader bounds.
static void add_path(Text *text, const Path *path) {
    if (path == NULL) {
        return;
    }
    add_path(text, path->up);
    text_add_char(text, '/');
    if (path->key == NULL) {
        text_add_format(text, "%zu", path->index);
        return;
    }
    for (const char *c = path->key; *c != '\0'; c++) {
        if (*c == '~') {
            text_add(text, "~0");
        } else if (*c == '/') {
            text_add(text, "~1");
        } else {
            text_add_char(text, *c);
        }
    }
}

// Takes both texts.
static void keep(Issues *issues, Text *pointer, Text *detail) {
    Issue issue = {text_take(pointer), text_take(detail)};
    Issue *items = NULL;
    if (issue.pointer != NULL && issue.detail != NULL) {
        items = memory_resize(issues->items, issues->count, issues->count + 1, sizeof(Issue));
    }
    if (items == NULL) {
        issues->failed = true;
        memory_free(issue.pointer);
        memory_free(issue.detail);
        return;
    }
    items[issues->count++] = issue;
    issues->items = items;
}

void issues_add(Issues *issues, const Path *path, const char *format, ...) {
    if (issues->count == ISSUES_MAX) {
        issues->omitted++;
        return;
    }
    Text pointer, detail;
    text_init(&pointer);
    text_init(&detail);
    add_path(&pointer, path);
    va_list list;
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    keep(issues, &pointer, &detail);
}

void issues_add_at(Issues *issues, const char *pointer, const char *format, ...) {
    if (issues->count == ISSUES_MAX) {
        issues->omitted++;
        return;
    }
    Text place, detail;
    text_init(&place);
    text_init(&detail);
    text_add(&place, pointer);
    va_list list;
    va_start(list, format);
    text_add_format_list(&detail, format, list);
    va_end(list);
    keep(issues, &place, &detail);
}
