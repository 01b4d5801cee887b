// Findings, and the registry of rules that make them. A rule is one file of rules/.
//
// A magnitude alone says little: what matters is whether learning suffers. So a rule looks for its symptom in the history
// and weighs it by the outcome; where the run came out well the same symptom is at most worth an `info`.
#pragma once
#include "core/base/descriptor.h"
#include "core/diagnose/facts.h"
#include "core/diagnose/history.h"
#include "core/diagnose/net.h"
#include "core/diagnose/outcome.h"
#include "core/diagnose/remedy.h"

typedef enum Severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL } Severity;
const char *severity_name(Severity severity);

enum { FINDING_EVIDENCE_MAX = 10, FINDING_REMEDIES_MAX = 4, FINDING_TEXT = 900 };

typedef struct Evidence {
    const char *name;
    double value;
    const char *text; // NULL: the value
} Evidence;

typedef struct Finding {
    const char *code;    // the rule's name
    const char *symptom; // which of the rule's texts explains it; NULL: its only one
    Severity severity;
    const char *layer;  // NULL: the whole net or the data
    int64_t first_step; // 0: before the run
    Evidence evidence[FINDING_EVIDENCE_MAX];
    int evidence_count;
    char explanation
        [FINDING_TEXT]; // in English; a rule leaves it empty where the table of texts has it
    Remedy remedies[FINDING_REMEDIES_MAX];
    int remedy_count;
    double rank; // how near to the root it is: causes above what follows from them
} Finding;

typedef enum Stage {
    STAGE_BEFORE, // the spec and the data; no step was run
    STAGE_LIVE,   // the run is under way
    STAGE_PROBE,  // one batch was trained on for some steps, to see whether the net can fit it
    STAGE_END,    // it is over, well or not
} Stage;

// What rules see.
typedef struct RuleView {
    Stage stage;
    const Model *model;
    const char *loss; // its name
    const Facts *facts;
    const Net *net;
    const History *history; // NULL before the run
    Outcome outcome;
    // Where numbers stopped being finite: the step, its loss and gradient, and the layers at it; 0 else.
    int64_t step;
    double train_loss, gradient_norm;
    const LayerStatistics *layers; // [model_layers]
    const Real *weights;           // as they are now; NULL before the run
    int32_t bad_rows[4];           // of the dataset: the first whose outputs are not finite
    int bad_row_count;
} RuleView;

typedef struct RuleDesc {
    Desc desc;
    const char *statistic, *threshold; // what it measures, and where it speaks
    bool before_run;                   // can judge the spec and the data alone
    // Writes a finding and returns true, or returns false.
    bool (*test)(const RuleView *view, Finding *ret_finding);
} RuleDesc;

extern const Registry rule_registry; // "rule"

// All that the rules find, the likeliest root cause first: findings [rule_registry.count]. Returns how many.
int rules_run(const RuleView *view, Finding *findings);

// For the rules.
void finding_number(Finding *finding, const char *name, double value);
// The text is borrowed: it must be the job's, or there for good.
void finding_word(Finding *finding, const char *name, const char *text);
void finding_remedy(Finding *finding, Remedy remedy);
// Fills the explanation out of the table of texts, unless it has one.
void finding_explain(Finding *finding);

// In English; the server puts it into other languages by code, symptom and evidence. spec: what patches are of.
void finding_write(const Finding *finding, Value spec, const char *key, const ValueWriter *out);
