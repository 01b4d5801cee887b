// Data has no layer and no step: these are null and 0. Remedies are the diagnosis' to propose.
#include "server/data/findings.h"
#include <stdarg.h>

void findings_init(Findings *findings) {
    json_init(&findings->out);
    json_begin_array(&findings->out, NULL);
}

void findings_finish(Findings *findings) {
    json_finish(&findings->out);
}

void findings_add(Findings *findings, const char *code, const char *severity, const char *evidence,
                  const char *format, ...) {
    Text explanation;
    text_init(&explanation);
    va_list list;
    va_start(list, format);
    text_add_format_list(&explanation, format, list);
    va_end(list);
    JsonOut *out = &findings->out;
    json_begin_object(out, NULL);
    json_string(out, "code", code);
    json_string(out, "severity", severity);
    json_null(out, "layer");
    json_integer(out, "first_step", 0);
    json_raw(out, "evidence", evidence);
    json_string(out, "explanation", text_string(&explanation));
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
