// What people read, in their language: out of the table of core/diagnose/texts.h.
#pragma once
#include "core/diagnose/texts.h"
#include "server/json/document.h"
#include "server/routes/routes.h"

// The language that is wanted most among those that there are: by the query `lang` where the route has it and it is there, else by
// Accept-Language.
Language request_language(const Request *request);
const char *language_tag(Language language); // "en", "ja"
// The headers Content-Language and Vary: Accept-Language.
void answer_language(Request *request, Language language);

// A text of the table behind what `out` holds (in English a blank between them), by its key "first.second.third" (NULL: no such part), with what stands in its
// places; places end with one without a name.
typedef struct TextPlace {
    const char *name, *word; // word NULL: the number
    double number;
} TextPlace;
void text_say(Text *out, Language language, const char *first, const char *second,
              const char *third, const TextPlace *places);

// A template with the numbers of an item's "evidence" and its "layer"; where it is NULL, the text as it was told.
void text_tell(JsonOut *out, const char *key, const char *template, Language language, Value item,
               const char *told);
// A finding as its worker or its dataset's profile told it in English, in `language`. severity: in place of its own; NULL: its own.
void finding_tell(JsonOut *out, Value finding, const char *severity, Language language);
// A job's `result` as it is stored, numbers alone, with what they say as its "explanation".
void result_tell(JsonOut *out, Value result, Language language);
void result_explain(Text *out, Value result, Language language);
// An array of findings.
void findings_tell(JsonOut *out, const char *key, Value findings, Language language);
