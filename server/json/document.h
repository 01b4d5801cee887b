// The strict front of every JSON body: RFC 8259 to the letter (UTF-8, numbers, no NUL, no duplicate keys, bounded depth and
// elements), then cJSON for the tree. Large arrays and texts never reach cJSON: arrays and strings at the `lifted` pointers
// are left out of the tree (it has an empty one there) and kept as spans of the text.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "core/base/issues.h"
#include "core/base/value.h"
#include "server/base/source.h"

typedef struct Document Document;

enum { JSON_DEPTH_MAX = 64 };

// `text` is borrowed as long as the document lives. lifted: NULL-terminated pointers ("/inputs", "/dataset/inputs"), or NULL.
// ERR_INVALID: not JSON; `issues` has one entry with the place (line and column, byte offset) and the reason.
// ERR_CONFLICT: JSON by its grammar, but ambiguous: a key stands twice in its object, or a string holds U+0000; `issues` has
// the pointer (an answer of 422 fits, where 400 fits ERR_INVALID).
// ERR_TOO_LARGE: the tree would have too many elements outside what is lifted. ERR_NO_MEMORY.
int document_parse(const char *text, size_t length, const char *const *lifted, Issues *issues,
                   Document **ret_document);
// The same of a text that may be mapped: its pages are given back as it is read.
int document_parse_source(const Source *source, const char *const *lifted, Issues *issues,
                          Document **ret_document);
void document_destroy(Document *document); // takes NULL
Value document_root(const Document *document);
// The text of a lifted array (from '[' to ']') or string (from quote to quote); false where the document has none there.
bool document_lifted(const Document *document, const char *pointer, const char **ret_text,
                     size_t *ret_length);
bool document_mapped(const Document *document); // whether its text is: so for source_pass

// RFC 7396 merge patch: a new document of `target` patched by `patch` (borrows neither). For reruns.
int document_merge(Value target, Value patch, Document **ret_document);
