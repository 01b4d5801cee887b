#include "server/base/exposition.h"
#include <math.h>

void exposition_family(Text *out, const char *name, const char *type, const char *help) {
    text_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_sample(Text *out, const char *name, const char *labels, double value) {
    text_add(out, name);
    if (labels != NULL)
        text_add_format(out, "{%s}", labels);
    if (isfinite(value))
        text_add_format(out, value == rint(value) ? " %.0f\n" : " %.9g\n", value);
    else
        text_add(out, isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n");
}

void exposition_single(Text *out, const char *name, const char *type, const char *help,
                       double value) {
    exposition_family(out, name, type, help);
    exposition_sample(out, name, NULL, value);
}
