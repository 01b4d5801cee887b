// A text that is walked from its start to its end: in memory, or mapped from a file.
//
// The pages of a mapping that were read stay in the process's memory as long as there is room. So whoever walks over a large
// one says how far it is, and what lies behind is given back; it comes back from the file where it is looked at again.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef struct Source {
    const char *text; // [length]; borrowed
    size_t length;
    bool mapped; // read-only, from a file: its pages may be given back at any time
} Source;

static inline Source source_in_memory(const char *text, size_t length) {
    return (Source){.text = text, .length = length};
}

// Where a walk begins, for source_pass: NULL for a text in memory, of which nothing is given back.
static inline const char *source_start(const Source *source) {
    return source->mapped ? source->text : NULL;
}

enum { SOURCE_WINDOW = 4 << 20 }; // bytes that a walk leaves behind itself

// Where a walk from `at` must say again how far it is, that does not for every value.
static inline const char *source_block_end(const char *at, const char *end) {
    enum { BLOCK = 1 << 16 };
    return end - at > BLOCK ? at + BLOCK : end;
}

void source_give_back(const char **passed, const char *at);

// The walk is at `at`; *passed is up to where its pages were given back. Cheap enough for every value of a text.
static inline void source_pass(const char **passed, const char *at) {
    if (*passed != NULL && at - *passed >= SOURCE_WINDOW) {
        source_give_back(passed, at);
    }
}
