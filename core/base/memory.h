// Checked memory: sizes are products that cannot overflow, results are zeroed, cleanup by
// attribute.
//
// Every allocation of the project goes through here (or an arena made here), so that a test can
// make the Nth one fail: memory_fail_at is that switch.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

// [count] zeroed elements of `size` bytes, aligned to 64 bytes, or NULL (also where the product
// overflows; count 0 gives a valid pointer). Release with memory_free.
void *memory_array(size_t count, size_t size);

// Grow (or shrink) an array from memory_array/memory_resize to `count` elements, `old_count` of
// which are in use; what is new is zeroed. On failure NULL, and `array` stays as it was.
void *memory_resize(void *array, size_t old_count, size_t count, size_t size);

char *memory_string(const char *text); // a copy; NULL for NULL or without memory
void memory_free(void *pointer);       // takes NULL

#define memory_new(Type) ((Type *)memory_array(1, sizeof(Type)))

// *ret = a * b (a + b); false where it does not fit.
static inline bool size_multiply(size_t a, size_t b, size_t *ret) {
    return !__builtin_mul_overflow(a, b, ret);
}
static inline bool size_add(size_t a, size_t b, size_t *ret) {
    return !__builtin_add_overflow(a, b, ret);
}

// CLEANUP(function): call function(&variable) when the variable's scope ends. For one owner;
// several owners use `goto fail`.
#define CLEANUP(function) __attribute__((cleanup(function)))
static inline void memory_free_pointer(void *pointer_to_pointer) {
    memory_free(*(void **)pointer_to_pointer);
}
#define AUTO_FREE CLEANUP(memory_free_pointer)

// Move ownership out of a variable: returns its value and leaves NULL behind.
#define TAKE(variable)                                                                             \
    ({                                                                                             \
        __auto_type taken_ = (variable);                                                           \
        (variable) = NULL;                                                                         \
        taken_;                                                                                    \
    })

// ---- arenas: many small allocations with one end (a parsed spec, a graph) ----

typedef struct Arena {
    struct ArenaBlock *newest; // blocks are linked; the first is made on demand
    size_t bytes;              // handed out so far
    size_t limit;              // no more than this in all; 0: unbounded
} Arena;

void arena_init(Arena *arena, size_t limit);
void arena_finish(Arena *arena); // releases all; the arena is empty again
void *arena_array(Arena *arena, size_t count, size_t size); // zeroed, 16-byte aligned, or NULL
char *arena_string(Arena *arena, const char *text);         // a copy, or NULL
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define arena_new(arena, Type) ((Type *)arena_array((arena), 1, sizeof(Type)))

// For tests only: the nth allocation from now (1 = the next) fails, once; 0 switches it off.
void memory_fail_at(long nth);
