// Walking the text of an array or string that was lifted past the tree. The text has passed the strict scanner, so walking it needs no
// second check of its grammar; still nothing here reads beyond `end`.
//
//   span_enter(&span);                       // at '[' or '{'
//   while (span_next(&span)) {               // at each item; false: behind the closing bracket
//       switch (span_kind(&span)) { … }      // exactly one of span_number, span_string, span_skip, span_enter …
//   }
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/text.h"
#include "core/base/value.h"
#include "server/base/source.h"

typedef struct Span {
    const char *at, *end;
    const char *passed; // of a mapping: as source_pass says; else NULL
} Span;

ValueKind span_kind(const Span *span); // of the value at `at`; VALUE_MISSING where none begins
void span_enter(Span *span);
bool span_next(Span *span);
int64_t span_items(Span span); // how many the array at `at` has; 0: none begins there
void span_skip(Span *span);    // over one value of any kind
int span_number(Span *span, double *ret_number); // as number_read
// Over the next numbers of an array, at most `most`, as numbers_read; the rest, with the last, is left to the walk.
int64_t span_floats(Span *span, int64_t most, float *ret_numbers);
void span_string(Span *span, Text *text); // the decoded characters into the cleared text
void span_key(Span *span, Text *text);    // of a member: its key, and on to its value

// The next character of a raw string whose text stands behind its opening quote; false at the closing one.
bool span_key_next(const char **at, uint32_t *ret_point);
