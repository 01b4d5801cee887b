// Findings about data, in the form of a diagnosis (http.md), collected as JSON text.
#pragma once
#include "server/base/json_out.h"

typedef struct Findings {
    JsonOut out; // an open array
} Findings;

void findings_init(Findings *findings);
void findings_finish(Findings *findings);
// evidence: JSON text of an object.
void findings_add(Findings *findings, const char *code, const char *severity, const char *evidence,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
char *findings_take(Findings *findings); // the array's text (memory_free), NULL without memory
