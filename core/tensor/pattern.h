// Where the numbers of a matrix of mostly zeros stand: compressed sparse rows, and the same entries by column for the
// way back. The numbers themselves lie beside it, [entries] in the order of the rows.
//
//   [0 5 0 7]        first_in_row    = [0, 2, 3]             row r's entries: first_in_row[r] … first_in_row[r + 1)
//   [0 0 2 0]        column          = [1, 3, 2]
//                    first_in_column = [0, 0, 1, 2, 3]
//                    row             = [0, 1, 0]
//                    place           = [0, 2, 1]             that entry's index in `column` and among the numbers
#pragma once
#include <stdint.h>
#include "core/base/real.h"

typedef struct Pattern {
    int64_t rows, columns, entries;
    const int32_t *first_in_row;    // [rows + 1]
    const int32_t *column;          // [entries], ascending within a row
    const int32_t *first_in_column; // [columns + 1]
    const int32_t *row;             // [entries], ascending within a column
    const int32_t *place;           // [entries]
} Pattern;

// Copies the rows and finds the columns: one pass over each. first [rows + 1], column [entries]: as above.
// ERR_TOO_LARGE where numbers do not fit, ERR_NO_MEMORY.
int pattern_create(int64_t rows, int64_t columns, const int32_t *first, const int32_t *column,
                   Pattern **ret_pattern);
void pattern_destroy(Pattern *pattern); // takes NULL
