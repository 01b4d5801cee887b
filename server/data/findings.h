// Findings about data, in the form of a diagnosis (http.md), collected as JSON text.
#pragma once
#include "core/diagnose/texts.h"
#include "server/base/json_out.h"
#include "server/json/document.h"

typedef struct Findings {
    JsonOut out; // an open array
} Findings;

void findings_init(Findings *findings);
void findings_finish(Findings *findings);
// evidence: JSON text of an object. The explanation is the table's "finding.CODE.data" in English with its numbers; other
// languages are made of code and evidence when they are asked for.
void findings_add(Findings *findings, const char *code, const char *severity, const char *evidence);
char *findings_take(Findings *findings); // the array's text (memory_free), NULL without memory

// What a finding holds for the places of its text: find of a TextValues whose context is a FindingPlaces.
typedef struct FindingPlaces {
    Value evidence;
    const char *layer; // NULL: none
    Language language; // of words that the table has
} FindingPlaces;
bool finding_place(void *context, const char *name, double *ret_number, const char **ret_word);
