// Sorting by counting, once by each side.
#include "server/data/pairs.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

int growing_reserve(GrowingArray *array, int64_t used, int64_t count, size_t size) {
    if (array->items != NULL && (size_t)count <= array->capacity) {
        return OK;
    }
    size_t kept = array->items == NULL ? 0 : (size_t)used, capacity = (size_t)count + kept / 2;
    void *grown = memory_resize(array->items, kept, capacity, size);
    if (grown == NULL) {
        return ERR_NO_MEMORY;
    }
    array->items = grown;
    array->capacity = capacity;
    return OK;
}

void pairs_finish(Pairs *pairs) {
    memory_free(pairs->memory.items);
    memory_free(pairs->spare.items);
    memory_free(pairs->counts.items);
    *pairs = (Pairs){0};
}

// A whole number from 0 to bound − 1, consumed in any case.
static bool read_index(Span *span, int64_t bound, int32_t *ret_index) {
    double number;
    if (span_kind(span) != VALUE_NUMBER) {
        span_skip(span);
        return false;
    }
    if (span_number(span, &number) != OK || !(number >= 0 && number < (double)bound) ||
        number != (double)(int32_t)number) {
        return false;
    }
    *ret_index = (int32_t)number;
    return true;
}

static void read_pair(Span *span, const int64_t bounds[2], const char *const names[2],
                      const Place *place, const char *wanted, Issues *issues, PairEntry *entry) {
    if (span_items(*span) != 2) {
        span_skip(span);
        place_issue(place, NULL, 0, issues, "must be %s", wanted);
        return;
    }
    int32_t *const sides[] = {&entry->row, &entry->column};
    int64_t side = 0;
    for (span_enter(span); span_next(span); side++) {
        if (!read_index(span, bounds[side], sides[side])) {
            place_issue(place, &side, 1, issues, "must be the number of a %s, from 0 to %lld",
                        names[side], (long long)bounds[side] - 1);
        }
    }
}

int pairs_read(Pairs *pairs, Span span, const int64_t bounds[2], const char *const names[2],
               Place place, const char *wanted, Issues *issues, int64_t *ret_count) {
    int64_t count = span_items(span);
    if (count >= INT32_MAX / 2) {
        issues_add_at(issues, place.before, "has too many items: at most %d", INT32_MAX / 2 - 1);
        return OK;
    }
    int result = growing_reserve(&pairs->memory, 0, 2 * count, sizeof(PairEntry));
    if (result == OK) {
        result = growing_reserve(&pairs->spare, 0, 2 * count, sizeof(PairEntry));
    }
    if (result != OK) {
        return result;
    }
    pairs->entries = pairs->memory.items;
    for (span_enter(&span); span_next(&span); place.row++) {
        PairEntry *entry = &pairs->entries[place.row];
        *entry = (PairEntry){.index = (int32_t)place.row};
        read_pair(&span, bounds, names, &place, wanted, issues, entry);
    }
    *ret_count = count;
    return OK;
}

// By one side, which is below `bound`.
static void sort_by(Pairs *pairs, int64_t count, bool by_row, int64_t bound) {
    int32_t *counts = pairs->counts.items; // [bound + 1]
    const PairEntry *from = pairs->memory.items;
    PairEntry *to = pairs->spare.items;
    memset(counts, 0, (size_t)(bound + 1) * sizeof *counts);
    for (int64_t i = 0; i < count; i++) {
        counts[(by_row ? from[i].row : from[i].column) + 1]++;
    }
    for (int64_t k = 0; k < bound; k++) {
        counts[k + 1] += counts[k];
    }
    for (int64_t i = 0; i < count; i++) {
        to[counts[by_row ? from[i].row : from[i].column]++] = from[i];
    }
    GrowingArray swapped = pairs->memory;
    pairs->memory = pairs->spare;
    pairs->spare = swapped;
    pairs->entries = pairs->memory.items;
}

int pairs_sort(Pairs *pairs, int64_t count, int64_t rows, int64_t columns) {
    int64_t bound = rows > columns ? rows : columns;
    int result = growing_reserve(&pairs->counts, 0, bound + 1, sizeof(int32_t));
    if (result == OK) {
        sort_by(pairs, count, false, columns);
        sort_by(pairs, count, true, rows);
    }
    return result;
}

bool pairs_equal(const PairEntry *a, const PairEntry *b) {
    return a->row == b->row && a->column == b->column;
}
