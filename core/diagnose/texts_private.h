// The tables of texts.
#pragma once
#include "core/diagnose/texts.h"

typedef struct TextEntry {
    const char *key;
    const char *text[LANGUAGES]; // English, Japanese
} TextEntry;

// Each ends with an entry without a key.
extern const TextEntry text_findings[], text_remedies[], text_checklist[], text_data[],
    text_verdicts[];
static const TextEntry *const text_tables[] = {text_findings, text_remedies, text_checklist,
                                               text_data, text_verdicts};
