// Time as the contract writes it, and ids that sort by creation.
#pragma once
#include <stdint.h>

enum { TIME_TEXT = 32, ID_TEXT = 40 };

int64_t time_now(void);       // milliseconds since 1970, UTC
int64_t time_monotonic(void); // milliseconds
int64_t time_roughly(void);   // the same, up to some milliseconds behind, at a tenth of the cost
void time_text(int64_t milliseconds,
               char text[TIME_TEXT]); // RFC 3339 in UTC: 2026-11-24T01:02:03.456Z
// "job_" and 26 letters: 48 bits of milliseconds, 80 random bits, Crockford base 32; sorts by time, strictly
// increasing within a process.
void id_make(const char *prefix, char id[ID_TEXT]);
