// Open addressing over FNV-1a, at most half full. The number of strings is bounded by the caller.
#include "core/base/names.h"
#include <stdlib.h>
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

enum { NAMES_FIRST = 16 };

static uint64_t hash_text(const char *text, size_t length) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return hash ^ hash >> 32;
}

void names_finish(Names *names) {
    for (size_t i = 0; i < names->count; i++) {
        memory_free(names->items[i]);
    }
    memory_free(names->items);
    memory_free(names->slots);
    *names = (Names){0};
}

// The slot of the string, or the free one where it belongs.
static size_t find_slot(const Names *names, const char *text, size_t length) {
    size_t mask = names->slot_count - 1;
    size_t slot = (size_t)hash_text(text, length) & mask;
    while (names->slots[slot] != 0) {
        const char *item = names->items[names->slots[slot] - 1];
        if (strncmp(item, text, length) == 0 && item[length] == '\0') {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

int32_t names_find(const Names *names, const char *text, size_t length) {
    return names->slot_count > 0 ? (int32_t)names->slots[find_slot(names, text, length)] - 1 : -1;
}

static void fill_slots(Names *names) {
    memset(names->slots, 0, names->slot_count * sizeof *names->slots);
    for (size_t i = 0; i < names->count; i++) {
        names->slots[find_slot(names, names->items[i], strlen(names->items[i]))] = (uint32_t)i + 1;
    }
}

static int grow(Names *names) {
    size_t capacity = names->capacity > 0 ? names->capacity * 2 : NAMES_FIRST;
    char **items = memory_resize(names->items, names->count, capacity, sizeof *items);
    if (items == NULL) {
        return ERR_NO_MEMORY;
    }
    names->items = items;
    uint32_t *slots = memory_array(capacity * 2, sizeof *slots);
    if (slots == NULL) {
        return ERR_NO_MEMORY;
    }
    memory_free(names->slots);
    names->slots = slots;
    names->slot_count = capacity * 2;
    names->capacity = capacity;
    fill_slots(names);
    return OK;
}

int names_add(Names *names, const char *text, size_t length, size_t maximum, int32_t *ret_index) {
    int32_t known = names_find(names, text, length);
    if (known >= 0) {
        *ret_index = known;
        return OK;
    }
    if (names->count >= maximum) {
        return ERR_TOO_LARGE;
    }
    if (names->count == names->capacity) {
        int result = grow(names);
        if (result != OK) {
            return result;
        }
    }
    char *copy = memory_array(length + 1, 1);
    if (copy == NULL) {
        return ERR_NO_MEMORY;
    }
    memcpy(copy, text, length);
    names->slots[find_slot(names, text, length)] = (uint32_t)names->count + 1;
    names->items[names->count] = copy;
    *ret_index = (int32_t)names->count++;
    return OK;
}

typedef struct Ranked {
    char *text;
    int32_t old;
} Ranked;

// The order of bytes is the order of code points in UTF-8.
static int compare(const void *a, const void *b) {
    return strcmp(((const Ranked *)a)->text, ((const Ranked *)b)->text);
}

int names_sort(Names *names, int32_t **ret_moved) {
    AUTO_FREE Ranked *ranked = memory_array(names->count, sizeof *ranked);
    int32_t *moved = memory_array(names->count, sizeof *moved);
    if (ranked == NULL || moved == NULL) {
        memory_free(moved);
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < names->count; i++) {
        ranked[i] = (Ranked){names->items[i], (int32_t)i};
    }
    qsort(ranked, names->count, sizeof *ranked, compare);
    for (size_t i = 0; i < names->count; i++) {
        names->items[i] = ranked[i].text;
        moved[ranked[i].old] = (int32_t)i;
    }
    if (names->slot_count > 0) {
        fill_slots(names);
    }
    if (ret_moved != NULL) {
        *ret_moved = moved;
    } else {
        memory_free(moved);
    }
    return OK;
}
