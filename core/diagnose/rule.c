// The registry of rules, running them, and findings as values.
#include "core/diagnose/rule.h"
#include <stdio.h>
#include <string.h>
#include "core/diagnose/texts.h"

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

// ---- explaining ----

static bool find_evidence(void *context, const char *name, double *ret_number,
                          const char **ret_word) {
    const Finding *finding = context;
    if (strcmp(name, "layer") == 0) {
        *ret_word = finding->layer != NULL ? finding->layer : "—";
        return true;
    }
    for (int i = 0; i < finding->evidence_count; i++)
        if (strcmp(finding->evidence[i].name, name) == 0) {
            *ret_number = finding->evidence[i].value;
            *ret_word = finding->evidence[i].text;
            return true;
        }
    return false;
}

void finding_explain(Finding *finding) {
    const char *template =
        texts_find_joined(LANGUAGE_ENGLISH, "finding", finding->code, finding->symptom);
    if (finding->explanation[0] != '\0' || template == NULL)
        return;
    Text text;
    text_init(&text);
    texts_render(template, &(TextValues){finding, find_evidence}, &text);
    snprintf(finding->explanation, sizeof finding->explanation, "%s", text_string(&text));
    text_finish(&text);
}

// ---- running ----

// What hurts stands above what does not; among those the root above its consequences.
static bool goes_before(const Finding *a, const Finding *b) {
    bool a_hurts = a->severity != SEVERITY_INFO, b_hurts = b->severity != SEVERITY_INFO;
    return a_hurts != b_hurts ? a_hurts : a->rank > b->rank;
}

int rules_run(const RuleView *view, Finding *findings) {
    int count = 0;
    for (size_t i = 0; i < rule_registry.count; i++) {
        const RuleDesc *rule = (const RuleDesc *)rule_registry.entries[i];
        Finding finding;
        if ((view->stage == STAGE_BEFORE && !rule->before_run) || !rule->test(view, &finding))
            continue;
        finding_explain(&finding);
        int at = count++;
        for (; at > 0 && goes_before(&finding, &findings[at - 1]); at--)
            findings[at] = findings[at - 1];
        findings[at] = finding;
    }
    return count;
}

// ---- for the rules ----

void finding_number(Finding *finding, const char *name, double value) {
    if (finding->evidence_count < FINDING_EVIDENCE_MAX)
        finding->evidence[finding->evidence_count++] = (Evidence){.name = name, .value = value};
}

void finding_word(Finding *finding, const char *name, const char *text) {
    if (finding->evidence_count < FINDING_EVIDENCE_MAX)
        finding->evidence[finding->evidence_count++] = (Evidence){.name = name, .text = text};
}

void finding_remedy(Finding *finding, Remedy remedy) {
    if (finding->remedy_count < FINDING_REMEDIES_MAX)
        finding->remedies[finding->remedy_count++] = remedy;
}

// ---- as values ----

static void write_remedies(const Finding *finding, Value spec, const ValueWriter *out) {
    write_begin_array(out, "remedies");
    for (int i = 0; i < finding->remedy_count; i++) {
        const Remedy *remedy = &finding->remedies[i];
        write_begin_object(out, NULL);
        write_string(out, "code", remedy->code);
        write_string(out, "title",
                     texts_find_joined(LANGUAGE_ENGLISH, "remedy", remedy->code, "title"));
        write_string(out, "why",
                     texts_find_joined(LANGUAGE_ENGLISH, "remedy", remedy->code, "why"));
        remedy_write_patch(remedy, spec, "patch", out);
        write_end_object(out);
    }
    write_end_array(out);
}

void finding_write(const Finding *finding, Value spec, const char *key, const ValueWriter *out) {
    write_begin_object(out, key);
    write_string(out, "code", finding->code);
    if (finding->symptom != NULL)
        write_string(out, "symptom", finding->symptom);
    write_string(out, "severity", severity_name(finding->severity));
    write_string(out, "layer", finding->layer);
    write_integer(out, "first_step", finding->first_step);
    write_begin_object(out, "evidence");
    for (int i = 0; i < finding->evidence_count; i++)
        if (finding->evidence[i].text != NULL)
            write_string(out, finding->evidence[i].name, finding->evidence[i].text);
        else
            write_number(out, finding->evidence[i].name, finding->evidence[i].value);
    write_end_object(out);
    write_string(out, "explanation", finding->explanation);
    write_remedies(finding, spec, out);
    write_end_object(out);
}
