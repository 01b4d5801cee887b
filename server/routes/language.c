#include "server/routes/language.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "server/data/findings.h"

// ---- which ----

// The first of the header's that is one, by its quality.
Language request_language(const Request *request) {
    const char *header = request_query(request, "lang");
    if (header == NULL)
        header = request_header(request, "Accept-Language");
    double best = 0;
    Language language = LANGUAGE_ENGLISH;
    while (header != NULL && *header != '\0') {
        header += strspn(header, " ,\t");
        size_t length = strcspn(header, ",");
        double quality = 1;
        const char *parameter = memchr(header, ';', length);
        if (parameter != NULL && sscanf(parameter, "; q=%lf", &quality) != 1)
            sscanf(parameter, ";q=%lf", &quality);
        bool japanese = strncmp(header, "ja", 2) == 0, english = strncmp(header, "en", 2) == 0;
        if ((japanese || english) && quality > best) {
            best = quality;
            language = japanese ? LANGUAGE_JAPANESE : LANGUAGE_ENGLISH;
        }
        header += length;
    }
    return language;
}

const char *language_tag(Language language) {
    return language == LANGUAGE_JAPANESE ? "ja" : "en";
}

void answer_language(Request *request, Language language) {
    answer_header(request, "Content-Language", "%s", language_tag(language));
    answer_header(request, "Vary", "Accept-Language");
}

// ---- texts ----

static bool find_place(void *context, const char *name, double *ret_number, const char **ret_word) {
    for (const TextPlace *place = context; place != NULL && place->name != NULL; place++)
        if (strcmp(place->name, name) == 0) {
            *ret_word = place->word;
            *ret_number = place->number;
            return true;
        }
    return false;
}

void text_say(Text *out, Language language, const char *first, const char *second,
              const char *third, const TextPlace *places) {
    TextPlace *context = (TextPlace *)(uintptr_t)places; // which nobody writes to
    if (language == LANGUAGE_ENGLISH && out->length > 0 && out->data[out->length - 1] > ' ')
        text_add_char(out, ' ');
    texts_render(texts_find_joined(language, first, second, third),
                 &(TextValues){context, find_place}, out);
}

void text_tell(JsonOut *out, const char *key, const char *template, Language language, Value item,
               const char *told) {
    FindingPlaces places = {value_member(item, "evidence"),
                            value_string(value_member(item, "layer")), language};
    Text text;
    if (template == NULL || told == NULL) {
        json_string(out, key, told);
        return;
    }
    text_init(&text);
    texts_render(template, &(TextValues){&places, finding_place}, &text);
    json_string(out, key, text_string(&text));
    out->text.failed |= text.failed;
    text_finish(&text);
}

static void tell_remedies(JsonOut *out, Value remedies, Language language) {
    ValueWriter writer = json_writer(out);
    json_begin_array(out, "remedies");
    VALUE_FOREACH(remedy, remedies) {
        const char *code = value_string(value_member(remedy, "code"));
        json_begin_object(out, NULL);
        json_string(out, "code", code);
        json_string(out, "title", texts_find_joined(language, "remedy", code, "title"));
        json_string(out, "why", texts_find_joined(language, "remedy", code, "why"));
        write_value(&writer, "patch", value_member(remedy, "patch"));
        json_end_object(out);
    }
    json_end_array(out);
}

void finding_tell(JsonOut *out, Value finding, const char *severity, Language language) {
    ValueWriter writer = json_writer(out);
    const char *code = value_string(value_member(finding, "code"));
    const char *symptom = value_string(value_member(finding, "symptom"));
    json_begin_object(out, NULL);
    VALUE_FOREACH(member, finding) {
        const char *key = value_key(member);
        if (strcmp(key, "severity") == 0 && severity != NULL)
            json_string(out, key, severity);
        else if (strcmp(key, "explanation") == 0)
            text_tell(out, key,
                      language == LANGUAGE_ENGLISH
                          ? NULL
                          : texts_find_joined(language, "finding", code, symptom),
                      language, finding, value_string(member));
        else if (strcmp(key, "remedies") == 0)
            tell_remedies(out, member, language);
        else
            write_value(&writer, key, member);
    }
    json_end_object(out);
}

void result_explain(Text *out, Value result, Language language) {
    Value suggested = value_member(result, "suggested_learning_rate");
    Value rates = value_member(value_member(result, "curve"), "learning_rate");
    Value least = value_member(value_member(result, "minimum"), "learning_rate");
    bool fell = value_kind(suggested) == VALUE_NUMBER;
    bool held = value_kind(value_member(result, "broke_away_at")) != VALUE_NUMBER;
    double from = value_number(value_child(rates)), to = from;
    VALUE_FOREACH(rate, rates)
    to = value_number(rate);
    const TextPlace places[] = {{"suggested", NULL, value_number(suggested)},
                                {"least", NULL, value_number(least)},
                                {"from", NULL, from},
                                {"to", NULL, to},
                                {0}};
    text_say(out, language, "range", !fell ? "none" : held ? "held" : "broke_away", NULL, places);
}

void result_tell(JsonOut *out, Value result, Language language) {
    ValueWriter writer = json_writer(out);
    Text text;
    text_init(&text);
    result_explain(&text, result, language);
    json_begin_object(out, "result");
    json_string(out, "explanation", text_string(&text));
    VALUE_FOREACH(member, result) {
        if (strcmp(value_key(member), "explanation") !=
            0) // jobs of an earlier build keep one in English
            write_value(&writer, value_key(member), member);
    }
    json_end_object(out);
    out->text.failed |= text.failed;
    text_finish(&text);
}

void findings_tell(JsonOut *out, const char *key, Value findings, Language language) {
    json_begin_array(out, key);
    VALUE_FOREACH(finding, findings)
    finding_tell(out, finding, NULL, language);
    json_end_array(out);
}
