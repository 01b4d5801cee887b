// Finding and filling texts. The tables are texts_findings.c, texts_remedies.c, texts_checklist.c, texts_data.c and texts_verdicts.c.
#include "core/diagnose/texts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/base/memory.h"
#include "core/diagnose/texts_private.h"

const char *texts_find(Language language, const char *key) {
    for (size_t t = 0; t < ARRAY_LENGTH(text_tables); t++)
        for (const TextEntry *entry = text_tables[t]; entry->key != NULL; entry++)
            if (strcmp(entry->key, key) == 0)
                return entry->text[language] != NULL ? entry->text[language]
                                                     : entry->text[LANGUAGE_ENGLISH];
    return NULL;
}

const char *texts_find_joined(Language language, const char *first, const char *second,
                              const char *third) {
    char key[160];
    snprintf(key, sizeof key, "%s.%s%s%s", first, second, third != NULL ? "." : "",
             third != NULL ? third : "");
    return texts_find(language, key);
}

static void add_number(double number, char form, Text *out) {
    if (isnan(number))
        text_add(out, form == '!' ? "NaN" : "—");
    else if (isinf(number))
        text_add(out, number < 0 ? "−∞" : "∞");
    else if (form == '%')
        text_add_format(out, "%.3g %%", number * 100);
    else if (form == '#')
        text_add_format(out, "%.0f", number);
    else
        text_add_format(out, "%.3g", number);
}

// One place, between braces; what is not known stays as a dash.
static void add_place(const char *name, size_t length, const TextValues *values, Text *out) {
    char plain[64], form = 0;
    if (length == 0 || length >= sizeof plain)
        return;
    if (strchr("%#!", name[length - 1]) != NULL)
        form = name[--length];
    memcpy(plain, name, length);
    plain[length] = '\0';
    double number = NAN;
    const char *word = NULL;
    if (values->find(values->context, plain, &number, &word) && word != NULL)
        text_add(out, word);
    else
        add_number(number, form, out);
}

void texts_render(const char *template, const TextValues *values, Text *out) {
    while (*template != '\0') {
        size_t plain = strcspn(template, "{");
        text_add_bytes(out, template, plain);
        template += plain;
        if (*template == '\0')
            break;
        size_t length = strcspn(template + 1, "}");
        add_place(template + 1, length, values, out);
        template += length + 1 + (template[length + 1] == '}');
    }
}
