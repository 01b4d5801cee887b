// What is wrong with an input: every error with its JSON Pointer (RFC 6901), collected, not just
// the first.
#pragma once
#include <stddef.h>
#include <stdbool.h>

// Where one is in a document: a chain of frames on the callers' stacks. A frame is a key or an
// index.
typedef struct Path {
    const struct Path *up; // NULL at the root
    const char *key;       // NULL: `index` counts
    size_t index;
} Path;

#define PATH_KEY(up, key) (&(const Path){(up), (key), 0})
#define PATH_INDEX(up, index) (&(const Path){(up), NULL, (index)})

typedef struct Issue {
    char *pointer; // "/model/layers/1/units"; "" is the whole document
    char *detail;  // a sentence without a full stop: what must hold, and what is there instead
} Issue;

enum { ISSUES_MAX = 100 }; // more are counted, not kept

typedef struct Issues {
    Issue *items; // [count]
    size_t count;
    size_t omitted; // beyond ISSUES_MAX
    bool failed;    // an allocation failed
} Issues;

void issues_init(Issues *issues);
void issues_finish(Issues *issues);
void issues_add(Issues *issues, const Path *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// As issues_add with the pointer already as text.
void issues_add_at(Issues *issues, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline bool issues_any(const Issues *issues) {
    return issues->count > 0 || issues->failed;
}
