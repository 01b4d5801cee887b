// Every text for people that a diagnosis has, in one table, in English and Japanese.
//
// Keys: "finding.CODE" or "finding.CODE.SYMPTOM" (why it happens, with this run's numbers), "remedy.CODE.title", "remedy.CODE.why",
// "item.NAME" and "note.NAME" of the checklist, "verdict.…" of a comparison, "drift.…" of inputs from elsewhere, "range.…" of a
// learning-rate range test, "view.…" of a terminal,
// "word.WORD" of a word that is evidence. Texts have places for evidence: {name} a number with three digits, {name%} a
// share as per cent, {name#} a whole number, {name!} a number which, where it is NaN, is the news itself and not unknown; {layer} and other words as they are.
#pragma once
#include <stdbool.h>
#include "core/base/text.h"

typedef enum Language { LANGUAGE_ENGLISH, LANGUAGE_JAPANESE, LANGUAGES } Language;

const char *texts_find(Language language, const char *key); // NULL where there is none
// The key put together: "a.b", or "a.b.c", then "…" of `last`; NULL parts are left out.
const char *texts_find_joined(Language language, const char *first, const char *second,
                              const char *third);

// What a place of a text holds: a number, or a word.
typedef struct TextValues {
    void *context;
    bool (*find)(void *context, const char *name, double *ret_number, const char **ret_word);
} TextValues;
void texts_render(const char *template, const TextValues *values, Text *out);
