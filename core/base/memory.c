// Checked memory and arenas.
//
// Every block is aligned to a cache line and zeroed. An arena is a chain of such blocks, newest
// first; a block is never reused, so what it hands out is zero without another memset.
#include "core/base/memory.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, ARENA_ALIGNMENT = 16, ARENA_BLOCK_BYTES = 8192, HUGE_PAGE = 1 << 21 };

// The one mutable global of the core: the tests' switch that makes an allocation fail. 0 or less:
// off.
static atomic_long fail_countdown;

void memory_fail_at(long nth) {
    atomic_store(&fail_countdown, nth);
}

static bool must_fail(void) {
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0) {
        return false;
    }
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

// Not zeroed. `bytes` is rounded up to the alignment, as aligned_alloc asks; at least one line, so
// that an empty array has an address of its own.
static void *allocate(size_t bytes) {
    size_t padded;
    if (!size_add(bytes, ALIGNMENT - 1, &padded) || must_fail()) {
        return NULL;
    }
    padded &= ~(size_t)(ALIGNMENT - 1);
    if (padded >= HUGE_PAGE) { // a matrix read column by column is on as many pages as it has rows
        void *huge;
        if (posix_memalign(&huge, HUGE_PAGE, padded) != 0)
            return NULL;
        madvise(huge, padded, MADV_HUGEPAGE);
        return huge;
    }
    return aligned_alloc(ALIGNMENT, padded > 0 ? padded : ALIGNMENT);
}

void *memory_array(size_t count, size_t size) {
    size_t bytes;
    if (!size_multiply(count, size, &bytes)) {
        return NULL;
    }
    void *array = allocate(bytes);
    if (array != NULL) {
        memset(array, 0, bytes);
    }
    return array;
}

void *memory_resize(void *array, size_t old_count, size_t count, size_t size) {
    size_t bytes;
    if (!size_multiply(count, size, &bytes)) {
        return NULL;
    }
    char *resized = allocate(bytes);
    if (resized == NULL) {
        return NULL;
    }
    size_t kept = (old_count < count ? old_count : count) * size;
    if (kept > 0) {
        memcpy(resized, array, kept);
    }
    memset(resized + kept, 0, bytes - kept);
    memory_free(array);
    return resized;
}

char *memory_string(const char *text) {
    if (text == NULL) {
        return NULL;
    }
    size_t bytes = strlen(text) + 1;
    char *copy = allocate(bytes);
    return copy != NULL ? memcpy(copy, text, bytes) : NULL;
}

void memory_free(void *pointer) {
    free(pointer);
}

struct ArenaBlock {
    struct ArenaBlock *older;
    size_t used, capacity; // of `data`
    _Alignas(ARENA_ALIGNMENT) char data[];
};

void arena_init(Arena *arena, size_t limit) {
    *arena = (Arena){.limit = limit};
}

void arena_finish(Arena *arena) {
    struct ArenaBlock *block = arena->newest;
    while (block != NULL) {
        struct ArenaBlock *older = block->older;
        memory_free(block);
        block = older;
    }
    arena_init(arena, arena->limit);
}

void *arena_array(Arena *arena, size_t count, size_t size) {
    size_t bytes, padded, total;
    if (!size_multiply(count, size, &bytes) || !size_add(bytes, ARENA_ALIGNMENT - 1, &padded)) {
        return NULL;
    }
    padded &= ~(size_t)(ARENA_ALIGNMENT - 1);
    if (!size_add(arena->bytes, padded, &total) || (arena->limit > 0 && total > arena->limit)) {
        return NULL;
    }
    struct ArenaBlock *block = arena->newest;
    if (block == NULL || block->capacity - block->used < padded) {
        size_t capacity = padded > ARENA_BLOCK_BYTES ? padded : ARENA_BLOCK_BYTES, block_bytes;
        if (!size_add(sizeof(struct ArenaBlock), capacity, &block_bytes)) {
            return NULL;
        }
        block = memory_array(1, block_bytes);
        if (block == NULL) {
            return NULL;
        }
        *block = (struct ArenaBlock){.older = arena->newest, .capacity = capacity};
        arena->newest = block;
    }
    void *array = block->data + block->used;
    block->used += padded;
    arena->bytes = total;
    return array;
}

char *arena_string(Arena *arena, const char *text) {
    if (text == NULL) {
        return NULL;
    }
    size_t bytes = strlen(text) + 1;
    char *copy = arena_array(arena, bytes, 1);
    return copy != NULL ? memcpy(copy, text, bytes) : NULL;
}

char *arena_format(Arena *arena, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = length >= 0 ? arena_array(arena, (size_t)length + 1, 1) : NULL;
    if (text != NULL) {
        va_start(list, format);
        vsnprintf(text, (size_t)length + 1, format, list);
        va_end(list);
    }
    return text;
}
