// What a practitioner goes through when a net does not learn, with the state of each item for this run.
#pragma once
#include "core/diagnose/rule.h"

// An array under `key`: [{"group", "item", "title", "state": "ok" | "attention" | "not_applicable", "note", "evidence"}]. `item` is
// the text's key; "note" in English, as of findings.
void checklist_write(const RuleView *view, const char *key, const ValueWriter *out);
