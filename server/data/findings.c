// Data has no layer and no step: these are null and 0. Remedies are the diagnosis' to propose.
#include "server/data/findings.h"
#include <string.h>
#include "core/base/error.h"
#include "core/diagnose/texts.h"

void findings_init(Findings *findings) {
    json_init(&findings->out);
    json_begin_array(&findings->out, NULL);
}

void findings_finish(Findings *findings) {
    json_finish(&findings->out);
}

bool finding_place(void *context, const char *name, double *ret_number, const char **ret_word) {
    const FindingPlaces *places = context;
    if (strcmp(name, "layer") == 0) {
        *ret_word = places->layer;
        return *ret_word != NULL;
    }
    Value value = value_member(places->evidence, name);
    if (value_kind(value) == VALUE_STRING)
        *ret_word = value_string(value);
    else if (value_kind(value) == VALUE_NUMBER)
        *ret_number = value_number(value);
    else
        return false;
    return true;
}

static void explain(const char *code, const char *evidence, Text *out) {
    Document *document = NULL;
    Issues issues;
    issues_init(&issues);
    if (document_parse(evidence, strlen(evidence), NULL, &issues, &document) == OK) {
        FindingPlaces places = {document_root(document), NULL};
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
