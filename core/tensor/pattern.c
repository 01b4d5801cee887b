// Building a pattern: entries counted by column, then laid out in the order of the rows, which leaves the rows of a
// column ascending.
#include "core/tensor/pattern.h"
#include <string.h>
#include "core/base/error.h"
#include "core/base/memory.h"

// The arrays follow the struct in one piece of memory.
typedef struct Block {
    Pattern pattern;
    int32_t numbers[];
} Block;

int pattern_create(int64_t rows, int64_t columns, const int32_t *first, const int32_t *column,
                   Pattern **ret_pattern) {
    if (rows >= INT32_MAX || columns >= INT32_MAX)
        return ERR_TOO_LARGE;
    int64_t entries = first[rows];
    size_t numbers = (size_t)(rows + 1) + (size_t)(columns + 1) + 3 * (size_t)entries;
    Block *block = memory_array(sizeof(Block) + numbers * sizeof(int32_t), 1);
    if (block == NULL)
        return ERR_NO_MEMORY;
    int32_t *first_in_row = block->numbers, *first_in_column = first_in_row + rows + 1;
    int32_t *columns_of = first_in_column + columns + 1, *row = columns_of + entries;
    int32_t *place = row + entries;
    memcpy(first_in_row, first, (size_t)(rows + 1) * sizeof(*first));
    if (entries > 0)
        memcpy(columns_of, column, (size_t)entries * sizeof(*column));
    for (int64_t i = 0; i < entries; i++)
        first_in_column[column[i] + 1]++;
    for (int64_t c = 0; c < columns; c++)
        first_in_column[c + 1] += first_in_column[c];
    for (int64_t r = 0; r < rows; r++)
        for (int32_t i = first[r]; i < first[r + 1]; i++) {
            int32_t at = first_in_column[column[i]]++;
            row[at] = (int32_t)r;
            place[at] = i;
        }
    // Filling has moved each column's start to the next one's.
    memmove(first_in_column + 1, first_in_column, (size_t)columns * sizeof(*first_in_column));
    first_in_column[0] = 0;
    block->pattern = (Pattern){.rows = rows,
                               .columns = columns,
                               .entries = entries,
                               .first_in_row = first_in_row,
                               .column = columns_of,
                               .first_in_column = first_in_column,
                               .row = row,
                               .place = place};
    *ret_pattern = &block->pattern;
    return OK;
}

void pattern_destroy(Pattern *pattern) {
    memory_free(pattern);
}
