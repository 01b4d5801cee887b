// A growing text. After a failed allocation it stays as it is and remembers the failure, so that a
// writer checks once at the end.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdarg.h>

typedef struct Text {
    char *data;    // NUL-terminated once anything was added, else NULL
    size_t length; // without the NUL
    size_t capacity;
    bool failed;  // an allocation failed or the limit was passed: what follows is ignored
    size_t limit; // greatest length; 0: unbounded
} Text;

void text_init(Text *text);
void text_finish(Text *text);
void text_clear(Text *text); // length 0, memory kept
void text_add(Text *text, const char *string);
void text_add_bytes(Text *text, const char *bytes, size_t length);
void text_add_char(Text *text, char c);
void text_add_format(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_format_list(Text *text, const char *format, va_list list);
const char *text_string(const Text *text); // "" while empty; borrowed
char *text_take(Text *text); // the memory (memory_free), text is empty again; NULL if failed
