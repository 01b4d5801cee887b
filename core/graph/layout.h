// Where buffers lie in one arena, when it is known how long each lives.
//
// Two buffers whose lives meet never share a byte; others may. Greedy: largest first, each at the
// lowest offset that is free for its whole life (Pisarchyk & Lee 2020: Efficient Memory Management
// for Deep Neural Net Inference, "greedy by size"). That is within a few per cent of the best for
// layered nets, and needs no search.
#pragma once
#include <stddef.h>

enum { LAYOUT_ALIGNMENT = 64 };

typedef struct LayoutBuffer {
    size_t bytes;      // 0: takes no room
    int begin, end;    // lives at the times begin…end, both included
    int leave, back;   // … but not between these two, both excluded; leave ≥ back: all the time
    size_t ret_offset; // result: a multiple of LAYOUT_ALIGNMENT
} LayoutBuffer;

// Places the buffers and tells the arena's size. ERR_TOO_LARGE where that overflows, ERR_NO_MEMORY.
int layout_place(LayoutBuffer *buffers, size_t count, size_t *ret_bytes);
