// Data has no layer and no step: these are null and 0. Remedies are the diagnosis' to propose.
#include "server/data/findings.h"
#include <math.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/diagnose/texts.h"

void findings_init(Findings *findings) {
    json_init(&findings->out);
    json_begin_array(&findings->out, NULL);
}

void findings_finish(Findings *findings) {
    json_finish(&findings->out);
}

// A number, also one that JSON cannot hold and that stands as a word.
static bool number_read_value(Value value, double *ret_number) {
    static const struct {
        const char *word;
        double number;
    } words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    const char *word = value_string(value);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        if (word != NULL && strcmp(word, words[i].word) == 0) {
            *ret_number = words[i].number;
            return true;
        }
    }
    *ret_number = value_number(value);
    return value_kind(value) == VALUE_NUMBER;
}

bool finding_place(void *context, const char *name, double *ret_number, const char **ret_word) {
    const FindingPlaces *places = context;
    if (strcmp(name, "layer") == 0) {
        *ret_word = places->layer;
        return *ret_word != NULL;
    }
    Value value = value_member(places->evidence, name);
    if (number_read_value(value, ret_number))
        return true;
    const char *word = value_string(value);
    if (word == NULL)
        return false;
    *ret_word = texts_find_joined(places->language, "word", word, NULL);
    if (*ret_word == NULL)
        *ret_word = word;
    return true;
}

static void explain(const char *code, const char *evidence, Text *out) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    if (document_parse(evidence, strlen(evidence), NULL, &issues, &document) == OK) {
        FindingPlaces places = {document_root(document), NULL, LANGUAGE_ENGLISH};
        texts_render(texts_find_joined(LANGUAGE_ENGLISH, "finding", code, "data"),
                     &(TextValues){&places, finding_place}, out);
    } else {
        out->failed = true;
    }
    document_destroy(document);
    issues_finish(&issues);
}

void findings_add(Findings *findings, const char *code, const char *severity,
                  const char *evidence) {
    JsonOut *out = &findings->out;
    Text explanation;
    text_init(&explanation);
    explain(code, evidence, &explanation);
    json_begin_object(out, NULL);
    json_string(out, "code", code);
    json_string(out, "severity", severity);
    json_null(out, "layer");
    json_integer(out, "first_step", 0);
    json_raw(out, "evidence", evidence);
    json_string(out, "explanation", text_string(&explanation));
    json_string(out, "symptom", "data");
    json_begin_array(out, "remedies");
    json_end_array(out);
    json_end_object(out);
    out->text.failed |= explanation.failed;
    text_finish(&explanation);
}

char *findings_take(Findings *findings) {
    json_end_array(&findings->out);
    return text_take(&findings->out.text);
}
