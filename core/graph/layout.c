// Places buffers in one arena by size and lifetime. Deterministic: ties go by index.
#include "core/graph/layout.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include "core/base/error.h"
#include "core/base/memory.h"

static int larger_first(const void *a, const void *b) {
    const LayoutBuffer *first = *(LayoutBuffer *const *)a, *second = *(LayoutBuffer *const *)b;
    if (first->bytes != second->bytes)
        return first->bytes > second->bytes ? -1 : 1;
    return first < second ? -1 : first > second;
}

typedef struct Times {
    int begin, end;
} Times;

// A life has two parts, before and after it is away; where it never is, both are all of it.
static Times life_part(const LayoutBuffer *buffer, int part) {
    bool away = buffer->leave < buffer->back;
    return (Times){away && part == 1 ? buffer->back : buffer->begin,
                   away && part == 0 ? buffer->leave : buffer->end};
}

static bool lives_meet(const LayoutBuffer *a, const LayoutBuffer *b) {
    for (int i = 0; i < 4; i++) {
        Times x = life_part(a, i / 2), y = life_part(b, i % 2);
        if (x.begin <= y.end && y.begin <= x.end)
            return true;
    }
    return false;
}

// The lowest offset where `buffer` fits between the `count` placed ones, which are ordered by
// offset.
static size_t lowest_gap(const LayoutBuffer *buffer, LayoutBuffer *const *placed, size_t count) {
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        if (!lives_meet(buffer, placed[i]))
            continue;
        if (placed[i]->ret_offset >= offset && placed[i]->ret_offset - offset >= buffer->bytes)
            break;
        size_t end = placed[i]->ret_offset + placed[i]->bytes;
        if (end > offset)
            offset = end;
    }
    return offset;
}

int layout_place(LayoutBuffer *buffers, size_t count, size_t *ret_bytes) {
    AUTO_FREE LayoutBuffer **order = memory_array(count, sizeof(LayoutBuffer *));
    AUTO_FREE LayoutBuffer **placed = memory_array(count, sizeof(LayoutBuffer *)); // by offset
    if (order == NULL || placed == NULL)
        return ERR_NO_MEMORY;
    size_t bound = 0; // if nothing were shared: so no sum below can overflow
    for (size_t i = 0; i < count; i++) {
        size_t rounded;
        if (!size_add(buffers[i].bytes, LAYOUT_ALIGNMENT - 1, &rounded))
            return ERR_TOO_LARGE;
        buffers[i].bytes = rounded / LAYOUT_ALIGNMENT * LAYOUT_ALIGNMENT;
        if (!size_add(bound, buffers[i].bytes, &bound))
            return ERR_TOO_LARGE;
        order[i] = &buffers[i];
    }
    qsort(order, count, sizeof(LayoutBuffer *), larger_first);

    size_t bytes = 0, placed_count = 0;
    for (size_t i = 0; i < count && order[i]->bytes > 0; i++) {
        LayoutBuffer *buffer = order[i];
        buffer->ret_offset = lowest_gap(buffer, placed, placed_count);
        size_t at = placed_count++;
        for (; at > 0 && placed[at - 1]->ret_offset > buffer->ret_offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = buffer;
        if (buffer->ret_offset + buffer->bytes > bytes)
            bytes = buffer->ret_offset + buffer->bytes;
    }
    *ret_bytes = bytes;
    return OK;
}
