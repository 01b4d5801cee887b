// The strict scanner: says whether a text is JSON as RFC 8259 writes it, before cJSON sees any of it, and finds the arrays
// and strings that cJSON shall not see. For the files of server/json only.
#pragma once
#include "core/base/issues.h"
#include "core/base/text.h"
#include "server/base/source.h"

enum {
    SCAN_LIFTS_MAX = 16,
    SCAN_ELEMENTS_MAX = 500000, // values outside what is lifted: what the tree may hold
    SCAN_KEYS_MAX = 65536,      // of one object
    SCAN_BYTES_MAX = 32 << 20,  // of the text outside what is lifted
};

typedef struct ScanLift {
    const char *pointer; // one of the caller's
    const char *text;    // from '[' or '"' …
    size_t length;       // … to ']' or '"'
} ScanLift;

typedef struct Scan {
    ScanLift lifts[SCAN_LIFTS_MAX]; // [lift_count]
    size_t lift_count;
    bool reduced_used; // false: the text can be parsed as it is
    Text
        reduced; // the text with [] and "" for what was lifted and with no number longer than cJSON can read
} Scan;

// As document_parse; on success the caller finishes the scan.
int scan_json(const Source *source, const char *const *lifted, Issues *issues, Scan *ret_scan);
void scan_finish(Scan *scan);
