// Training gives way to predictions. While they are asked for, a worker rests between the loops of its steps; left to the
// scheduler alone, an answer waits for milliseconds until a worker's slice is over. A lower priority would give way to whatever
// else runs, not to predictions alone (docs/decisions/0036).
//
// What the server shares with its workers for that is one page with a count, which they only read.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct CourtesyPage CourtesyPage;

// ---- the server's ----
typedef struct Courtesy {
    CourtesyPage *page;
    int descriptor; // of the page; what a worker finds at COURTESY_DESCRIPTOR
} Courtesy;

int courtesy_create(Courtesy *ret_courtesy); // ERR_IO, ERR_NO_MEMORY
void courtesy_destroy(Courtesy *courtesy);   // also one that was never created: zeros
void courtesy_ask(const Courtesy *courtesy); // a prediction is asked for; from any thread

// ---- a worker's ----
enum { COURTESY_DESCRIPTOR = 3 };

typedef struct CourtesyWatch {
    const CourtesyPage *page; // NULL: there is nobody to give way to
    uint64_t seen;            // of the count
    int64_t trains_since;     // monotonic nanoseconds
    bool lately;              // predictions were asked for not long ago
} CourtesyWatch;

// Takes over the descriptor, at which a page may stand.
void courtesy_watch(int descriptor, CourtesyWatch *ret_watch);
// Nanoseconds that are to be rested now, after which it trains on: three times as long as it trained since it last did, but no longer
// than the predictions asked for since then may take. 0: none.
int64_t courtesy_due(CourtesyWatch *watch, int64_t now);
// Between two loops; cheap where nobody asks. Whether predictions were asked for lately.
bool courtesy_rest(CourtesyWatch *watch);
