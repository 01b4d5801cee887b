// Pairs of whole numbers out of JSON text, [[a, b], …], read and sorted: edges, and the places of sparse entries. For the files of
// server/data.
#pragma once
#include "server/data/row_text.h"

// An array that grows as it is filled; a zeroed one is ready to use, items are memory_free's.
typedef struct GrowingArray {
    void *items;
    size_t capacity; // in items
} GrowingArray;

// Room for `count` items, of which the first `used` stay; what is new is zero. ERR_NO_MEMORY.
int growing_reserve(GrowingArray *array, int64_t used, int64_t count, size_t size);

typedef struct PairEntry {
    int32_t row, column; // or source, target
    float value;         // the caller's
    int32_t index;       // among those given
} PairEntry;

typedef struct Pairs {  // a zeroed one is ready to use
    PairEntry *entries; // of the last pairs_read, with as much room again behind them
    GrowingArray memory, spare, counts;
} Pairs;

void pairs_finish(Pairs *pairs);
// The pairs of the array at the span, into pairs->entries [ret_count]: their sides are below `bounds` and are called `names`
// in issues, and `wanted` says what a pair must be. place: of the array's items. ERR_NO_MEMORY.
int pairs_read(Pairs *pairs, Span span, const int64_t bounds[2], const char *const names[2],
               Place place, const char *wanted, Issues *issues, int64_t *ret_count);
// By row, and by column within it; equal ones stay in their order. pairs->entries is another array then. Time goes with the number
// of pairs, rows and columns, however the pairs are spread.
int pairs_sort(Pairs *pairs, int64_t count, int64_t rows, int64_t columns);
bool pairs_equal(const PairEntry *a, const PairEntry *b); // the same row and column
