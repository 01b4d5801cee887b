// A row as the user writes it ↔ numbers as the model reads them, by the dataset's "columns" text
// ([{"name", "kind": "number" | "category", "values": […]}]; "" where rows are plain arrays of numbers).
#pragma once
#include "core/base/issues.h"
#include "core/tokens/vocabulary.h"
#include "core/train/dataset.h"
#include "server/base/json_out.h"
#include "server/json/document.h"
#include "server/json/span.h"

typedef struct Columns Columns;
int columns_parse(const char *json, Columns **ret_columns); // NULL or "": plain numbers
// Of a dataset's or a model's archive: NULL where it has none. ERR_NO_MEMORY, ERR_DAMAGED.
int columns_load(const Archive *archive, Columns **ret_columns);
void columns_destroy(Columns *columns);

// How a dataset's columns are those of a model: for each of the model's numbers the place of the dataset's, −1 where a category
// has a value that the dataset lacks; ret_places [the model's width] (memory_free). Columns go by name. ERR_INVALID with issues
// at `pointer`: one is missing or too many, of another kind, or has values that the model does not know.
int columns_match(const Columns *model, const Columns *dataset, const char *pointer, Issues *issues,
                  int32_t **ret_places);

// `inputs`: the text of a JSON array of rows (lifted, or of any array), each of `shape`, or as the columns say: an array in
// the columns' order or an object by name; null is missing (NaN). ret_inputs [rows, width] (memory_free).
int rows_read(const Columns *columns, const Shape *shape, const char *text, size_t length,
              const char *pointer, Issues *issues, float **ret_inputs, int64_t *ret_rows);
// Whether so many rows of `width` numbers may come in one request. ERR_INVALID, ERR_TOO_LARGE with an issue.
int rows_check_count(int64_t rows, int64_t width, const char *pointer, Issues *issues);
// The rows of a table at `span`, which says how many: numbers [rows, columns->width], zeroed. Issues, or ERR_NO_MEMORY.
int rows_read_table(const Columns *columns, Span span, const char *pointer, Issues *issues,
                    float *numbers);
// `texts`: the text of a JSON array of strings. ret_inputs [rows, max_length]: ids, padded; ret_lengths [rows].
int rows_read_texts(const Vocabulary *vocabulary, int64_t max_length, const char *texts,
                    size_t length, const char *pointer, Issues *issues, float **ret_inputs,
                    int32_t **ret_lengths, int64_t *ret_rows);
// Rows [offset, offset + limit) of a dataset as {"items": [{"row", "input", "target"}]} members into the open object.
// Texts come back as far as the vocabulary knows them; a corpus's row is a token, its target the next one. ERR_NO_MEMORY,
// ERR_DAMAGED.
int rows_write(const Dataset *dataset, int64_t offset, int64_t limit, JsonOut *out);
