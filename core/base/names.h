// A set of distinct strings, numbered from 0 in the order of their coming: class names, categories, column names.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef struct Names {
    char **items; // [count]
    size_t count, capacity;
    uint32_t *slots; // [slot_count] index + 1; 0: free; open addressing
    size_t slot_count;
} Names;

void names_finish(Names *names); // a zeroed one is ready to use
// The number of the string, which is added where it is new. ERR_TOO_LARGE: `maximum` are there already; ERR_NO_MEMORY.
int names_add(Names *names, const char *text, size_t length, size_t maximum, int32_t *ret_index);
int32_t names_find(const Names *names, const char *text, size_t length); // −1
// Puts them in code-point order; ret_moved[old number] = new number (memory_free), or NULL where nobody asks.
int names_sort(Names *names, int32_t **ret_moved);
