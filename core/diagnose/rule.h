// Findings, and the registry of rules that make them. A rule is one file of rules/.
#pragma once
#include "core/base/descriptor.h"
#include "core/diagnose/statistics.h"

typedef enum Severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL } Severity;
const char *severity_name(Severity severity);

enum { FINDING_EVIDENCE_MAX = 8 };

typedef struct Finding {
    const char *code; // the rule's name
    Severity severity;
    const char *layer;  // NULL: the whole net or the data
    int64_t first_step; // 0: before the run
    struct {
        const char *name;
        double value;
    } evidence[FINDING_EVIDENCE_MAX];
    int evidence_count;
    char explanation[512]; // plain words with this run's numbers
} Finding;

// What rules see. Before the run `step` is 0 and there are no numbers yet.
typedef struct RuleView {
    const Model *model;
    const char *loss; // its name
    int64_t step;
    double train_loss, gradient_norm;
    const LayerStatistics *layers; // [model_layers]; NULL where this step was not recorded
} RuleView;

typedef struct RuleDesc {
    Desc desc;
    bool before_run; // judges the spec alone, at step 0
    // Writes a finding and returns true, or returns false.
    bool (*test)(const RuleView *view, Finding *ret_finding);
} RuleDesc;

extern const Registry rule_registry; // "rule"

void finding_write(const Finding *finding, const char *key, const ValueWriter *out);
