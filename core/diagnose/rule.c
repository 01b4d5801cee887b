// The registry of rules, and findings as values.
#include "core/diagnose/rule.h"

#define ENTRY(name) extern const RuleDesc rule_##name;
#include "core/diagnose/rule.inc"
#undef ENTRY

static const Desc *const entries[] = {
#define ENTRY(name) &rule_##name.desc,
#include "core/diagnose/rule.inc"
#undef ENTRY
};

const Registry rule_registry = {.kind = "rule", .entries = entries, .count = ARRAY_LENGTH(entries)};

const char *severity_name(Severity severity) {
    switch (severity) {
    case SEVERITY_INFO:
        return "info";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_CRITICAL:
        return "critical";
    }
    return "info";
}

void finding_write(const Finding *finding, const char *key, const ValueWriter *out) {
    write_begin_object(out, key);
    write_string(out, "code", finding->code);
    write_string(out, "severity", severity_name(finding->severity));
    write_string(out, "layer", finding->layer);
    write_integer(out, "first_step", finding->first_step);
    write_begin_object(out, "evidence");
    for (int i = 0; i < finding->evidence_count; i++)
        write_number(out, finding->evidence[i].name, finding->evidence[i].value);
    write_end_object(out);
    write_string(out, "explanation", finding->explanation);
    write_begin_array(out, "remedies");
    write_end_array(out);
    write_end_object(out);
}
