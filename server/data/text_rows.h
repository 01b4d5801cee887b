// Rows that are texts or tokens of a corpus, written as text again. For the files of server/data.
#pragma once
#include "server/data/rows.h"

// Members "input" and "target" of a row of a dataset that has tokens. values [outputs] and text are for its use.
void text_row_write(const Vocabulary *vocabulary, const Dataset *dataset, int64_t row,
                    double *values, Text *text, JsonOut *out);
// The member "target" of a row with a target of its own. values [outputs] is for its use.
void rows_write_target(const Dataset *dataset, int64_t row, double *values, JsonOut *out);
